/** `node hack/java/main.ts kafka`: brings a Java program that tests need, so that they need not wait for it. */
import { classPath } from './jars.ts';

await classPath('kafka');
