import { homedir } from 'node:os';
import { join } from 'node:path';
import { binary } from '../binaries.ts';
import { attempt, exists, run } from '../commands.ts';
import { ClusterError } from '../errors.ts';
import { say } from '../progress.ts';
import type { ClusterStatus, Provider } from './provider.ts';

/** The cluster that kubectl talks to anyway. It is somebody's: nothing here creates or removes it. */
export class CurrentProvider implements Provider {
  readonly name = 'current';

  async up(): Promise<void> {
    const { up, lines } = await this.status();
    if (!up) throw new ClusterError('NOT_UP', `${lines.join('\n')}\nChoose another context with "kubectl config use-context NAME", or another provider.`);
    say(lines.join('\n'));
  }

  down(): Promise<void> {
    say('The current kubeconfig\'s cluster is not ours to remove. "helm uninstall anneal -n anneal-system" removes Anneal from it.');
    return Promise.resolve();
  }

  async status(): Promise<ClusterStatus> {
    const kubectl = (await exists('kubectl')) ? 'kubectl' : await binary('kubectl');
    const context = await attempt(kubectl, ['config', 'current-context']);
    if (context.code !== 0) return { up: false, lines: [`No current context: ${context.stderr.trim()}`] };
    const answer = await attempt(kubectl, ['get', '--raw', '/readyz', '--request-timeout=5s']);
    if (answer.code !== 0) return { up: false, lines: [`The cluster of the context ${context.stdout.trim()} does not answer: ${answer.stderr.trim()}`] };
    const nodes = await run(kubectl, ['get', 'nodes']);
    return { up: true, lines: [`context ${context.stdout.trim()}`, ...nodes.trimEnd().split('\n')] };
  }

  load(image: string): Promise<void> {
    return Promise.reject(new ClusterError('IMAGE_UNKNOWN',
      `The nodes of this cluster pull their images. Push ${image} to a registry that they reach, and name it in the chart: `
      + '--set image.repository=REGISTRY/anneal/operator --set image.tag=TAG'));
  }

  killNode(): Promise<void> {
    return Promise.reject(new ClusterError('USAGE', 'The nodes of the current kubeconfig\'s cluster are not ours to end or start. Take --provider embedded.'));
  }

  startNode(): Promise<void> {
    return this.killNode();
  }

  kubeconfig(): Promise<string> {
    // Several files joined by a colon are a valid KUBECONFIG, but no path; kubectl reads the first that has the context.
    return Promise.resolve(process.env.KUBECONFIG ?? join(homedir(), '.kube', 'config'));
  }
}
