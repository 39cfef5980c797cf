import { attempt } from '../commands.ts';
import { ClusterError } from '../errors.ts';
import type { NodeLayout } from './layout.ts';

/** Asks one node's containerd, in the namespace that kubelet uses. */
export async function ctr(layout: NodeLayout, args: readonly string[]): ReturnType<typeof attempt> {
  return attempt('ctr', ['--address', layout.containerdSocket, '--namespace', 'k8s.io', ...args]);
}

export async function imageNames(layout: NodeLayout): Promise<Set<string>> {
  const { stdout } = await ctr(layout, ['images', 'list', '--quiet']);
  return new Set(stdout.split('\n').filter((name) => name !== ''));
}

/** Imports an archive that docker, podman or buildah wrote; returns the names of its images. */
export async function importArchive(layout: NodeLayout, archive: string): Promise<string[]> {
  const result = await ctr(layout, ['images', 'import', archive]);
  if (result.code !== 0) throw new ClusterError('COMMAND_FAILED', `containerd of ${layout.name} refused ${archive}: ${result.stderr.trim()}`);
  return [...result.stdout.matchAll(/^unpacking (\S+) /gm)].flatMap(([, name]) => name ?? []);
}
