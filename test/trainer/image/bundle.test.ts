import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { bundle, copyNative } from '../../../trainer-image/native/bundle.ts';
import type { NativePackage } from '../../../trainer-image/native/bundle.ts';
import { folder, root } from '../support.ts';

const programs: readonly (readonly [NativePackage, string, string])[] = [
  ['OnnxRuntime', 'onnxruntime.ts', 'cpu'],
  ['DuckDB', 'duckdb.ts', '[[42]]'],
];

describe("the trainer image's bundle", function suite() {
  this.timeout(120_000);

  for (const [name, program, printed] of programs) {
    it(`has ${name} where there is no node_modules`, async () => {
      await using place = await folder();
      await bundle({ main: path.join(import.meta.dirname, 'stub', program) }, place.path);
      copyNative([name], place.path);
      expect(execFileSync(process.execPath, [`${place.path}/main.js`], { cwd: '/', encoding: 'utf8' })).to.equal(printed);
    });
  }

  it('is checked for each native half when the image is built', () => {
    const dockerfile = readFileSync(`${root}/trainer-image/Dockerfile`, 'utf8');
    for (const binding of ['lib/napi-v8/tfjs_binding', 'onnxruntime/onnxruntime_binding', 'duckdb/duckdb']) expect(dockerfile).to.include(binding);
  });
});
