import packageJson from '../package.json' with { type: 'json' };

/** Version of the trainer, as its image is tagged. */
export const version: string = packageJson.version;
