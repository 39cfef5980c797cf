/** Builds the project's two container images into docker-archives, with or without a Docker engine. */
export { buildImage } from './build.ts';
export type { BuildOptions, BuiltImage } from './build.ts';
export type { ImageName } from './sources.ts';
