import { expect } from 'chai';
import { bindsOf, parseMountInfo } from '../../../hack/cluster/drivers/csi/mounts.ts';

const table = parseMountInfo([
  '21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '30 21 8:2 / /data rw,relatime shared:2 - ext4 /dev/sdb1 rw',
  '40 21 8:2 /volumes/a/data /pods/one/with\\040space ro,relatime shared:2 - ext4 /dev/sdb1 rw',
  '41 21 8:1 /volumes/a/data /pods/two rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '',
].join('\n'));

describe('the table of mounts', () => {
  it('gives back the blanks of a path that the kernel escapes', () => {
    expect(table[2]?.mountPoint).to.equal('/pods/one/with space');
  });

  it('takes read-only from the mount, not from the file system below it', () => {
    expect(table.map(({ readOnly }) => readOnly)).to.deep.equal([false, false, true, false]);
  });

  it('finds where a folder is shown, and passes over an equal path of another file system', () => {
    expect(bindsOf('/data/volumes/a/data', table).map(({ mountPoint }) => mountPoint)).to.deep.equal(['/pods/one/with space']);
  });

  it('finds nothing for a folder that is mounted nowhere', () => {
    expect(bindsOf('/data/volumes/b/data', table)).to.deep.equal([]);
  });
});
