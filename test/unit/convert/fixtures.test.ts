import { expect } from 'chai';
import { convertFixtures } from '../../support/convert-fixtures.ts';

describe('a conversion', () => {
  for (const { name, lost, changed, outcome } of convertFixtures) {
    it(`names every field of ${name} that it lost or changed, and no other`, () => {
      const { conversions, errors } = outcome();
      expect(errors).to.deep.equal([]);
      const notes = conversions.flatMap((conversion) => conversion.notes);
      const paths = (kind: string) => notes.filter((note) => note.kind === kind).map(({ path }) => path).sort();
      expect(paths('Lost')).to.deep.equal(lost);
      expect(paths('Changed')).to.deep.equal(changed);
    });
  }

  it('says in whole sentences why, and what to do instead', () => {
    for (const { outcome } of convertFixtures) {
      for (const { why, instead } of outcome().conversions.flatMap(({ notes }) => notes)) expect([why, instead]).to.satisfy((texts: string[]) => texts.every((text) => /^[A-Z].*\.$/.test(text)), why);
    }
  });
});
