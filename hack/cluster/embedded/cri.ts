import { Client, credentials } from '@grpc/grpc-js';
import type { NodeLayout } from './layout.ts';

const deadlineMs = 2_000;

/**
 * Whether a node's containerd does what a kubelet asks of it. `ctr` is answered earlier, while the part for kubelets still looks at the
 * containers that it finds; a kubelet that is refused then ("server is not initialized yet") ends.
 */
export async function servesKubelets({ containerdSocket }: NodeLayout): Promise<boolean> {
  const client = new Client(`unix:${containerdSocket}`, credentials.createInsecure());
  try {
    return await new Promise((resolve) => {
      // An empty message is a valid VersionRequest of the CRI, and its answer need not be read: no copy of the contract is needed.
      const raw = (message: Buffer): Buffer => message;
      client.makeUnaryRequest('/runtime.v1.RuntimeService/Version', raw, raw, Buffer.alloc(0), { deadline: Date.now() + deadlineMs }, (error) => resolve(error === null));
    });
  } finally {
    client.close();
  }
}
