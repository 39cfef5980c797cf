/** What the pods of a job share and cannot begin without. It is neither watched nor read, so it is asked for again with each pod that is made. */
import { secretOf } from '../../domain/cluster-env/index.ts';
import { secretBody } from '../../domain/cluster-env/secret.ts';
import { claimTemplates } from '../../domain/device-claims.ts';
import type { Action } from '../../runtime/index.ts';
import { childOf } from '../shared/objects.ts';
import { claimTemplateType, secretType, trainingJobType } from '../shared/resources.ts';
import type { Observed } from './observe.ts';

export function sharedByPods({ object, job }: Observed): Action[] {
  const secret = secretOf(job);
  return [
    ...(secret === undefined ? [] : [{ kind: 'CreateSecret', type: secretType, object: childOf(trainingJobType, object, secretType, secretBody(job, secret)), generate: secret.generate } as const]),
    ...claimTemplates(job).map((template): Action => ({ kind: 'Create', type: claimTemplateType, object: childOf(trainingJobType, object, claimTemplateType, template) })),
  ];
}
