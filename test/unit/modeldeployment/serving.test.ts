import { expect } from 'chai';
import { annotations, type ModelDeploymentSpec } from '@anneal/operator/api';
import {
  isAutoscaled, progressDeadlineSeconds, replicasToSend, reservedDeployment, revisionOf, servingAutoscaler, servingDeployment, servingDisruptionBudget, servingService,
} from '../../../operator/src/domain/serving.ts';
import { karpenterPool, modelDeployment, modelOf, scaling, servingSettings } from '../../support/builders/model-deployment.ts';

const specOf = (over: Partial<ModelDeploymentSpec> = {}): ModelDeploymentSpec => modelDeployment(over).spec;
const build = (over: Partial<ModelDeploymentSpec> = {}, run = 1) => {
  const spec = specOf(over);
  return servingDeployment('served', spec, revisionOf('served', spec, modelOf(run), servingSettings), replicasToSend(spec, undefined));
};

describe('what serves a model', () => {
  it('mounts the model read-only at its path on the claim', () => {
    const { volumes, containers } = build().spec.template.spec;
    expect(volumes?.[0]).to.deep.equal({ name: 'model', persistentVolumeClaim: { claimName: modelOf(1).claimName, readOnly: true } });
    expect(containers[0]?.volumeMounts?.[0]).to.deep.equal({ name: 'model', mountPath: '/model', subPath: 'model', readOnly: true });
    expect(containers[0]?.args).to.deep.equal(['serve', '--model-dir', '/model', '--name', 'served', '--port', '8080']);
  });

  it('gets the key of a model that knows rows by pseudonyms as a file, and no key for any other', () => {
    const spec = specOf();
    const keyed = { ...modelOf(1), pseudonymKey: { secretName: 'pseudonyms', key: 'current', id: '0123456789abcdef' } };
    const { volumes, containers: [container] } = revisionOf('served', spec, keyed, servingSettings).pod;
    expect(container?.args?.slice(-2)).to.deep.equal(['--pseudonym-key', '/var/run/secrets/anneal.dev/pseudonyms/current']);
    expect(container?.volumeMounts).to.deep.include({ name: 'pseudonyms', mountPath: '/var/run/secrets/anneal.dev/pseudonyms', readOnly: true });
    expect(volumes).to.deep.include({ name: 'pseudonyms', secret: { secretName: 'pseudonyms', items: [{ key: 'current', path: 'current' }] } });
    expect(JSON.stringify(revisionOf('served', spec, modelOf(1), servingSettings).pod)).not.to.contain('pseudonym');
  });

  it('never has fewer replicas during an update than before', () => {
    expect(build().spec.strategy).to.deep.equal({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
  });

  it('obeys the restricted Pod Security Standard', () => {
    const { securityContext, containers, automountServiceAccountToken } = build().spec.template.spec;
    expect(automountServiceAccountToken).to.equal(false);
    expect(securityContext).to.deep.include({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(containers[0]?.securityContext).to.deep.equal({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
  });

  it('starts when the model is loaded, and is restarted only when it is dead', () => {
    const [container] = build().spec.template.spec.containers;
    expect(container?.startupProbe).to.deep.include({ httpGet: { path: '/v2/health/ready', port: 'http' } });
    expect(container?.readinessProbe).to.deep.include({ httpGet: { path: '/v2/health/ready', port: 'http' } });
    expect(container?.livenessProbe).to.deep.include({ httpGet: { path: '/v2/health/live', port: 'http' } });
  });

  it('asks for something even where the user asks for nothing, since the autoscaler counts in requests', () => {
    expect(build().spec.template.spec.containers[0]?.resources).to.deep.equal({ requests: { cpu: '100m', memory: '384Mi' } });
  });

  it('runs on the nodes of its pool', () => {
    const { nodeSelector, tolerations } = build({ nodePool: karpenterPool() }).spec.template.spec;
    expect(Object.keys(nodeSelector ?? {})).to.deep.equal(['karpenter.sh/nodepool']);
    expect(tolerations).to.have.length(1);
  });

  it('waits longer for a rollout that may have to start nodes first', () => {
    expect(progressDeadlineSeconds(specOf({ nodePool: karpenterPool() }))).to.be.greaterThan(progressDeadlineSeconds(specOf()));
  });

  it('leaves the number of replicas to the autoscaler where there is one', () => {
    expect(build(scaling(2)).spec.replicas).to.equal(2);
    expect(build(scaling(2, 2)).spec.replicas).to.equal(2);
    expect(build(scaling(2, 4)).spec).not.to.have.property('replicas');
    expect(isAutoscaled(specOf(scaling(2, 2)))).to.equal(false);
    expect(servingAutoscaler('served', specOf(scaling(2, 4))).spec).to.deep.include({
      minReplicas: 2,
      maxReplicas: 4,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }],
    });
  });

  it('sends a number that was ours until an autoscaler has changed it, so that it does not fall to one', () => {
    const ours = { metadata: build(scaling(3)).metadata, spec: { replicas: 3 } };
    expect(replicasToSend(specOf(scaling(2, 5)), ours)).to.equal(3);
    expect(replicasToSend(specOf(scaling(2, 5)), { ...ours, spec: { replicas: 4 } })).to.equal(undefined);
    expect(replicasToSend(specOf(scaling(2, 5)), { metadata: build(scaling(2, 5)).metadata, spec: { replicas: 3 } })).to.equal(undefined);
  });

  it('selects the same pods in the Deployment, the Service and the disruption budget', () => {
    const { matchLabels } = build().spec.selector;
    expect(build().spec.template.metadata.labels).to.include(matchLabels);
    expect(servingService('served').spec.selector).to.deep.equal(matchLabels);
    expect(servingDisruptionBudget('served').spec.selector).to.deep.equal({ matchLabels });
  });

  it('reserves the name by a Deployment that starts no pod and holds nothing that a later apply leaves out', () => {
    const spec = specOf({ ...scaling(3, 5), pod: { labels: { team: 'a' }, terminationGracePeriodSeconds: 60 } });
    const revision = revisionOf('served', spec, modelOf(1), servingSettings);
    const reserved = reservedDeployment('served', spec, revision);
    expect(reserved.spec.paused).to.equal(true);
    const leaves = (value: unknown, path = ''): string[] =>
      typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([field, item]) => leaves(item, `${path}.${field}`)) : [path];
    const applied = leaves(servingDeployment('served', spec, revision, undefined));
    expect(leaves(reserved).filter((leaf) => !applied.includes(leaf))).to.deep.equal(['.spec.replicas']);
    // Nothing that an edit takes away, since an apply would leave what another request made.
    expect(reserved.spec.template.metadata.labels).not.to.have.property('team');
  });

  it('gives its pods the labels and annotations that its user asks for', () => {
    const { spec } = build({ pod: { labels: { team: 'a', 'app.kubernetes.io/name': 'ranker' }, annotations: { 'example.com/a': 'b' }, terminationGracePeriodSeconds: 60 } });
    expect(spec.template.metadata.labels).to.include({ team: 'a', 'app.kubernetes.io/name': 'ranker', ...spec.selector.matchLabels });
    expect(spec.template.metadata.annotations).to.include({ 'example.com/a': 'b', [annotations.mainContainer]: 'server' });
  });
});

describe('a revision', () => {
  const nameOf = (over: Partial<ModelDeploymentSpec> = {}, run = 1, image = 'anneal/trainer:test') => {
    const spec = specOf(over);
    return revisionOf('served', spec, modelOf(run), { trainerImage: image }).name;
  };

  it('is the same for the same model and settings, however many replicas serve it', () => {
    expect(nameOf(scaling(3, 9))).to.equal(nameOf());
  });

  it('is another for another model, image or pod setting', () => {
    const names = [nameOf(), nameOf({}, 2), nameOf({}, 1, 'anneal/trainer:next'), nameOf({ pod: { terminationGracePeriodSeconds: 5 } }), nameOf({ pod: { labels: { team: 'a' }, terminationGracePeriodSeconds: 60 } }), nameOf({ pod: { annotations: { team: 'a' }, terminationGracePeriodSeconds: 60 } }), nameOf({ accelerator: { resource: 'nvidia.com/gpu', count: 1 } })];
    expect(new Set(names).size).to.equal(names.length);
  });

  it('is another for another model at the same place', () => {
    const at = (digest: string) => revisionOf('served', specOf(), { ...modelOf(1), digest }, servingSettings).name;
    expect(at(modelOf(1).digest)).not.to.equal(at(modelOf(2).digest));
  });

  it('stands with the model digest on the Deployment and on each of its pods', () => {
    const { metadata, spec } = build(scaling(1, 2));
    expect(metadata.annotations).to.deep.equal({ [annotations.revision]: nameOf(), [annotations.modelDigest]: modelOf(1).digest });
    expect(spec.template.metadata.annotations).to.deep.equal({ ...metadata.annotations, [annotations.mainContainer]: 'server' });
  });
});
