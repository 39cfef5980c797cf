/** The runtime kit with the Widget controller as a process of its own: `process.ts KUBECONFIG NAMESPACE INSTANCE`. */
import { kubeConfigAuthority } from '../../../operator/src/kube/auth.ts';
import { systemClock } from '../../../operator/src/kube/clock.ts';
import { startKit } from './kit.ts';

const [path, namespace, instance] = process.argv.slice(2);
if (path === undefined || namespace === undefined || instance === undefined) throw new Error('Usage: process.ts KUBECONFIG NAMESPACE INSTANCE');
const kit = startKit(await kubeConfigAuthority({ path }, systemClock), namespace, instance);
process.once('SIGTERM', () => kit.stop());
process.exitCode = (await kit.stopped) === 'lostLeadership' ? 1 : 0;
