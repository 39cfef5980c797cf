import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { blobs, folder, root } from '../support.ts';
import type { Folder } from '../support.ts';
import { ended, jobYaml } from './support.ts';

const run = promisify(execFile);

describe('the npm package of anneal-train', function suite() {
  this.timeout(600_000);
  let place: Folder;
  let packed: readonly string[];
  const at = (...names: string[]): string => path.join(place.path, ...names);

  before(async () => {
    place = await folder();
    await run(process.execPath, [path.join(root, 'trainer-image/build.ts'), '--out', at('dist')]);
    // Half a gigabyte of libraries takes minutes to compress; the list and the installation are the same with empty files in their place.
    renameSync(at('dist/native'), at('native'));
    for (const file of globSync('**/*', { cwd: at('native'), withFileTypes: true })) {
      if (!file.isFile()) continue;
      const below = path.relative(at('native'), path.join(file.parentPath, file.name));
      mkdirSync(path.dirname(at('dist/native', below)), { recursive: true });
      writeFileSync(at('dist/native', below), '');
    }
    const { stdout } = await run('npm', ['pack', '--json', at('dist')], { cwd: place.path });
    const [tarball] = JSON.parse(stdout) as [{ readonly filename: string; readonly files: readonly { readonly path: string }[] }];
    packed = tarball.files.map((file) => file.path);
    mkdirSync(at('app'));
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--prefix', at('app'), at(tarball.filename)], { cwd: at('app') });
    rmSync(at('app/node_modules/@anneal/trainer/native'), { recursive: true });
    symlinkSync(at('native'), at('app/node_modules/@anneal/trainer/native'));
  });
  after(async () => place[Symbol.asyncDispose]());

  it('holds what the program needs, and no sources', () => {
    expect(packed).to.include.members([
      'package.json', 'LICENSE', 'bin/anneal-train.cjs', 'bin/start.cjs', 'main.js', 'worker.js', 'scan-worker.js', 'plan-worker.js', 'trainingjobs.yaml',
      'native/lib/napi-v8/tfjs_binding.node', 'native/deps/lib/libtensorflow_cc.so.2', 'native/onnxruntime/onnxruntime_binding.node', 'native/duckdb/duckdb.node',
    ]);
    expect(packed.filter((file) => /\.ts$|^src\/|node_modules/.test(file))).to.deep.equal([]);
  });

  it('has every file that its own files name', () => {
    const named = packed.filter((file) => file.endsWith('.js')).flatMap((file) => [...readFileSync(at('dist', file), 'utf8').matchAll(/(?:from|import\()\s*"\.\/([^"]+\.js)"/g)].map(([, name = '']) => name));
    expect(named).to.have.length.above(10);
    expect([...new Set(named)].filter((name) => !packed.includes(name))).to.deep.equal([]);
  });

  it('installs without anything else, and plans and trains', async () => {
    const { dependencies } = JSON.parse(readFileSync(at('app/node_modules/@anneal/trainer/package.json'), 'utf8')) as { readonly dependencies?: object };
    expect(dependencies).to.equal(undefined);
    const program = at('app/node_modules/.bin/anneal-train');
    writeFileSync(at('job.yaml'), jobYaml(place.write('blobs.csv', blobs(100))));
    const plan = await ended(['-f', 'job.yaml', '--dry-run'], { directory: place.path, program });
    expect(plan.code, plan.stderr).to.equal(0);
    expect(plan.stdout).to.contain('Plan of blobs');
    const trained = await ended(['-f', 'job.yaml'], { directory: place.path, program });
    expect(trained.code, trained.stderr).to.equal(0);
    expect(existsSync(at('blobs/model/manifest.json'))).to.equal(true);
    const refused = await ended(['-f', 'job.yaml', '--set', 'fit.epoch=3'], { directory: place.path, program });
    expect(refused.stderr).to.contain('did you mean "epochs"?');
    const { stdout } = await run(program, ['version'], { env: { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env.PATH ?? ''}` } });
    expect(stdout).to.match(/^\d+\.\d+\.\d+\n$/);
  });
});
