/** Builds the project's two container images into docker-archives, with or without a Docker engine. */
export { buildImage } from './build.ts';
