/** Claims that a JobSet makes, as volumes of the pods that mount them. */
import type { DraftRole } from './draft.ts';
import { isObject, listOf, withField, type Json } from './json.ts';
import type { Reader } from './reader.ts';

export interface Claim {
  readonly source: Reader;
  readonly name: string;
  readonly volume: Json;
}

/** A claim of the JobSet, which all its pods share, becomes one of each pod: two pods could not mount it on two nodes. */
export function readClaims(policies: Reader | undefined): readonly Claim[] {
  return (policies?.items() ?? []).flatMap((policy) => {
    const retention = policy.at('retentionPolicy');
    if (retention?.choice('whenDeleted', ['Delete', 'Retain']) === 'Retain') {
      retention.lose('The claim goes when its pod is deleted.', 'Make a PersistentVolumeClaim and name it in the volumes of the role.');
    }
    return policy.at('templates')?.items().map(readClaim) ?? [];
  });
}

function readClaim(template: Reader): Claim {
  template.ignore('apiVersion', 'kind', 'status');
  const metadata = template.need('metadata', '{name: data}');
  const name = String(metadata.need('name', 'data').scalar());
  const tags = ['labels', 'annotations'].flatMap((field) => {
    const value = metadata.at(field)?.take();
    return value === undefined ? [] : [[field, value] as const];
  });
  const spec = template.need('spec', '{accessModes: [ReadWriteOnce], resources: {requests: {storage: 20Gi}}}').take();
  const claim = { ...(tags.length === 0 ? {} : { metadata: Object.fromEntries(tags) }), spec };
  return { source: template, name, volume: { name, ephemeral: { volumeClaimTemplate: claim } } };
}

export function withClaims(roles: readonly DraftRole[], claims: readonly Claim[]): readonly DraftRole[] {
  return claims.reduce((given, claim) => {
    if (!given.some((role) => mounts(role, claim.name))) {
      claim.source.lose('No container mounts it.', 'Leave it out.');
      return given;
    }
    claim.source.remark(
      'Each pod has a volume of its own from this claim, which goes with the pod; the pods of a JobSet shared one.',
      'To share one, make a PersistentVolumeClaim with ReadWriteMany and name it in the volumes of the role.',
    );
    return given.map((role) => (mounts(role, claim.name) ? withVolume(role, claim) : role));
  }, roles);
}

function mounts({ template }: DraftRole, name: string): boolean {
  const containers = ['initContainers', 'containers'].flatMap((field) => listOf(template.spec, field));
  return containers.some((container) => isObject(container) && listOf(container, 'volumeMounts').some((mount) => isObject(mount) && mount.name === name));
}

function withVolume(role: DraftRole, claim: Claim): DraftRole {
  const volumes = listOf(role.template.spec, 'volumes');
  if (volumes.some((volume) => isObject(volume) && volume.name === claim.name)) {
    claim.source.lose(`The pods have a volume called ${claim.name} already.`, 'Give one of them another name.');
    return role;
  }
  return { ...role, template: { ...role.template, spec: withField(role.template.spec, 'volumes', [...volumes, claim.volume]) } };
}
