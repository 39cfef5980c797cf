/**
 * `npm run demo`: the whole path on a cluster of this machine. A TrainingJob learns handwritten digits, a
 * HyperparamSweep betters it, a ModelDeployment serves the result. Safe to run again, also after a crash.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { HyperparamSweep, ModelDeployment, TrainingJob } from '../../operator/src/api/index.ts';
import { ApiError } from '../../operator/src/kube/errors.ts';
import { binary } from '../cluster/binaries.ts';
import { run } from '../cluster/commands.ts';
import { ClusterError } from '../cluster/errors.ts';
import { clusterId } from '../cluster/places.ts';
import { choices, choose, providerFor } from '../cluster/providers/index.ts';
import type { Provider } from '../cluster/providers/provider.ts';
import { root } from '../gen/schema.ts';
import { buildImage, type BuiltImage } from '../images/build.ts';
import { Access, DemoError } from './access.ts';
import { confusion, heading, percent } from './screen.ts';
import { digitsFile, heldOut, predict } from './predict.ts';
import { accuracyOf, watchDeployment, watchSweep, watchTraining } from './watch.ts';

const namespace = 'anneal-demo';
const operatorNamespace = 'anneal-system';
const manifests = join(root, 'docs/examples/digits');
const images = 200;

const usage = `npm run demo [-- OPTION]
  --down             remove the cluster and everything that the demo made
  --again            throw the earlier results away and begin anew on the same cluster
  --provider NAME    ${choices.join(', ')} (auto)`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { down: { type: 'boolean', default: false }, again: { type: 'boolean', default: false }, provider: { type: 'string', default: 'auto' }, help: { type: 'boolean', default: false } },
  });
  const choice = choices.find((one) => one === values.provider);
  if (values.help || choice === undefined) {
    console.log(usage);
    process.exitCode = choice === undefined ? 2 : 0;
    return;
  }
  const id = clusterId();
  if (values.down) {
    await (await providerFor(choice, id)).down();
    console.log('The demo is gone. Built programs and images stay in the cache, so that the next start is quick.');
    return;
  }
  await demonstrate(await choose(choice, id, false), values.again);
}

async function demonstrate(provider: Provider, again: boolean): Promise<void> {
  const start = performance.now();
  heading('1. A Kubernetes cluster');
  await provider.up({ controlPlaneOnly: false, nodes: 1, gpusPerNode: 4 });
  const tools = { kubectl: await binary('kubectl'), helm: await binary('helm'), kubeconfig: await provider.kubeconfig() };

  heading('2. Two images: the operator, and the trainer with TensorFlow');
  const [operator, trainer] = [await buildImage('operator'), await buildImage('trainer')];
  for (const { archive, tag } of [operator, trainer]) {
    console.log(`  ${tag}`);
    await provider.load(archive);
  }

  heading('3. The operator, by Helm');
  console.log(`  $ helm upgrade --install anneal charts/anneal --namespace ${operatorNamespace} --create-namespace --wait`);
  await run(tools.helm, ['--kubeconfig', tools.kubeconfig, 'upgrade', '--install', 'anneal', join(root, 'charts/anneal'), '--namespace', operatorNamespace, '--create-namespace', '--wait', '--timeout', '3m', ...operatorOf(operator)]);

  await using access = await Access.open(tools);
  if (again) await access.kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait']);
  await createNamespace(access);
  const trained = await train(access);
  const searched = await search(access, trained);
  await serve(access, trained, searched);

  console.log(`\nDone in ${Math.round((performance.now() - start) / 1000)} s.`);
  printNextSteps(tools.kubeconfig);
}

/** The tag stays the same while one works on the operator; an annotation of its pod makes Helm roll out what was built. */
function operatorOf({ digest }: BuiltImage): string[] {
  return ['--set-string', `podAnnotations.anneal\\.dev/image-digest=${digest.replace('sha256:', '')}`];
}

async function createNamespace(access: Access): Promise<void> {
  const quiet = { quiet: true };
  const labelled = await access.kubectl(['create', 'namespace', namespace, '--dry-run=client', '-o', 'json'], quiet);
  await access.kubectl(['apply', '--server-side', '-f', '-'], { ...quiet, input: labelled });
  const data = await access.kubectl(['create', 'configmap', 'digits', '-n', namespace, `--from-file=${digitsFile}`, '--dry-run=client', '-o', 'json'], quiet);
  await access.kubectl(['apply', '--server-side', '-f', '-'], { ...quiet, input: data });
}

async function train(access: Access): Promise<TrainingJob> {
  heading('4. Train: 1,797 handwritten digits, 8x8 pixels each');
  await access.kubectl(['apply', '-n', namespace, '-f', join(manifests, '1-train.yaml')]);
  const job = await watchTraining(access, { namespace, name: 'digits' });
  console.log(`  Test accuracy ${percent(accuracyOf(job.status?.model))} on rows that the training never saw.`);
  return job;
}

async function search(access: Access, trained: TrainingJob): Promise<HyperparamSweep> {
  heading('5. Improve: six trials, the first of them what we have');
  await access.kubectl(['apply', '-n', namespace, '-f', join(manifests, '2-sweep.yaml')]);
  const sweep = await watchSweep(access, { namespace, name: 'digits' });
  const before = trained.status?.model?.metrics?.val_accuracy;
  const best = sweep.status?.best;
  console.log(`  Best: ${best?.trainingJob ?? '?'} with ${JSON.stringify(best?.parameters ?? {})}`);
  console.log(`  val_accuracy ${percent(before ?? NaN)} before, ${percent(best?.value ?? NaN)} now; test accuracy ${percent(accuracyOf(best?.model))}.`);
  return sweep;
}

async function serve(access: Access, trained: TrainingJob, sweep: HyperparamSweep): Promise<ModelDeployment> {
  heading('6. Serve the best model');
  await access.kubectl(['apply', '-n', namespace, '-f', join(manifests, '3-serve.yaml')]);
  const deployment = await watchDeployment(access, { namespace, name: 'digits' }, sweep.status?.best?.model?.digest);
  const data = trained.spec.trainer?.data;
  if (data === undefined) throw new DemoError('The TrainingJob digits has no trainer; remove it and run the demo again.');
  const { classes, images: pixels, labels } = await heldOut(data, images);
  await using forward = await access.forward(namespace, 'digits', 80);
  const said = await predict(`http://127.0.0.1:${forward.port}`, 'digits', pixels);
  const pairs = labels.map((label, index): [string, string] => [label, said[index] ?? '']);
  const right = pairs.filter(([truth, answer]) => truth === answer).length;
  console.log(`  ${right} of ${pairs.length} held-out images came back right through the Service: ${percent(right / pairs.length)}.\n`);
  console.log(confusion(classes, pairs));
  return deployment;
}

function printNextSteps(kubeconfig: string): void {
  heading('What to type next');
  console.log(`  export KUBECONFIG=${kubeconfig}
  kubectl get tj,sweep,md -n ${namespace}
  kubectl describe tj digits -n ${namespace}
  kubectl explain trainingjob.spec.trainer
  kubectl port-forward -n ${namespace} service/digits 8080:80      # then: curl localhost:8080/v2/models/digits
  npm run demo -- --again     # begin anew on this cluster
  npm run demo -- --down      # remove everything`);
}

try {
  await main();
} catch (error) {
  // What the user or the machine can mend comes as a sentence, a mistake of ours with its stack.
  if (!(error instanceof DemoError || error instanceof ClusterError || error instanceof ApiError)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
