/** Picks who makes the cluster. */
import { ClusterError } from '../errors.ts';
import { isDebian, missingPackages } from '../embedded/packages.ts';
import { say } from '../progress.ts';
import { readState } from '../state.ts';
import { CurrentProvider } from './current.ts';
import { EmbeddedProvider } from './embedded.ts';
import { dockerRuns, KindProvider } from './kind.ts';
import type { Provider, ProviderName } from './provider.ts';

export const choices = ['auto', 'embedded', 'kind', 'current'] as const;
export type Choice = (typeof choices)[number];

export function providerOf(name: ProviderName, id: string): Provider {
  switch (name) {
    case 'embedded': return new EmbeddedProvider(id);
    case 'kind': return new KindProvider(id);
    case 'current': return new CurrentProvider();
  }
}

/** The provider for a command about a cluster that may be up: whoever made it, else the one that was named. */
export async function providerFor(choice: Choice, id: string): Promise<Provider> {
  if (choice !== 'auto') return providerOf(choice, id);
  const state = await readState(id);
  return providerOf(state?.provider ?? 'embedded', id);
}

/** The provider for a new cluster. The current context is never taken unasked: it may be production. */
export async function choose(choice: Choice, id: string, controlPlaneOnly: boolean): Promise<Provider> {
  if (choice !== 'auto') return providerOf(choice, id);
  const state = await readState(id);
  if (state !== undefined) return providerOf(state.provider, id);
  const { name, reason } = await pick(controlPlaneOnly);
  say(`Provider ${name}: ${reason}`);
  return providerOf(name, id);
}

async function pick(controlPlaneOnly: boolean): Promise<{ readonly name: ProviderName; readonly reason: string }> {
  if (controlPlaneOnly) return { name: 'embedded', reason: 'a control plane alone needs no rights and no Docker.' };
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    const missing = await missingPackages();
    if (missing.length === 0) return { name: 'embedded', reason: 'this is Linux, you are root, and containerd, runc and the network tools are there.' };
    if (await isDebian()) return { name: 'embedded', reason: `this is Debian or a relative, you are root; ${missing.join(', ')} will be installed.` };
  }
  if (await dockerRuns()) return { name: 'kind', reason: 'Docker runs here.' };
  throw new ClusterError('NO_PROVIDER',
    'Neither way to a cluster with nodes is open: the embedded one needs Linux and root ("sudo npm run cluster -- up"), kind needs a running Docker '
    + '(https://docs.docker.com/engine/install). To use the cluster that kubectl talks to, say so: npm run cluster -- up --provider current');
}
