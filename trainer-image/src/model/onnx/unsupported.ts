/** What an exporter throws for a layer that it does not know, or not with these options; the network is then served by TensorFlow.js. */
export class Unsupported extends Error {
  readonly layer: string;
  readonly className: string;
  readonly why: string;

  constructor(layer: string, className: string, why: string) {
    super(`Layer "${layer}" (${className}) ${why}`);
    this.name = 'Unsupported';
    this.layer = layer;
    this.className = className;
    this.why = why;
  }
}
