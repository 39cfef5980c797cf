/**
 * `util.isNullOrUndefined` left Node in version 23; tfjs-node 4.22 calls it in `fit`, `topk` and others (tensorflow/tfjs #8425). Its
 * `util.isArray` is deprecated and would warn. Imported before tfjs; goes away with the first tfjs release that has the fix.
 */
import util from 'node:util';

if (!('isNullOrUndefined' in util)) {
  Object.defineProperty(util, 'isNullOrUndefined', { value: (value: unknown) => value === null || value === undefined, configurable: true });
}
Object.defineProperty(util, 'isArray', { value: Array.isArray, configurable: true });
