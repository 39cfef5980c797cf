/** The conditions of a ModelDeployment, each with a reason for programs and a sentence for a person. */
import type { Conclusion } from '../../api/index.ts';
import type { Outcome } from '../../runtime/index.ts';
import { poolConclusions } from '../shared/pool.ts';
import type { Assessment } from './assess.ts';
import type { Observed } from './observe.ts';

/** All that is true of the deployment. A refused action outweighs everything, since nothing goes on until it is mended. */
export function conclusionsOf(seen: Observed, assessment: Assessment, outcome: Outcome): Conclusion[] {
  return [ready(assessment, outcome), available(assessment), progressing(assessment, outcome), modelResolved(seen), ...poolConclusions(seen.pool)];
}

function ready({ stage }: Assessment, outcome: Outcome): Conclusion {
  const conclude = (status: Conclusion['status']): Conclusion => ({ type: 'Ready', status, reason: stage.reason, message: stage.message });
  if (outcome.kind === 'failed') return { type: 'Ready', status: 'False', ...refusal(outcome) };
  switch (stage.kind) {
    case 'Serving':
      return conclude('True');
    case 'Waiting':
      return conclude(stage.mayCome ? 'Unknown' : 'False');
    case 'RollingOut':
      return conclude('Unknown');
    case 'Short':
      return conclude(stage.noneLeft ? 'False' : 'Unknown');
    case 'Blocked':
    case 'Stuck':
      return conclude('False');
  }
}

function refusal({ action, error }: Extract<Outcome, { kind: 'failed' }>): Pick<Conclusion, 'reason' | 'message'> {
  const taken = 'code' in error && error.code === 'CHILD_NOT_OURS';
  return { reason: taken ? 'NameTaken' : `${action.kind}Failed`, message: error.message };
}

function available({ counts }: Assessment): Conclusion {
  const conclude = (status: Conclusion['status'], reason: string, message: string): Conclusion => ({ type: 'Available', status, reason, message });
  if (counts === undefined) return conclude('False', 'NotDeployed', 'Nothing is served yet.');
  return counts.ready > 0
    ? conclude('True', 'ReplicasReady', 'Requests are answered.')
    : conclude('False', 'NoReplicaReady', 'No replica is ready, so requests are not answered.');
}

/** Its reason RolledOut is also how a later pass knows that a missing replica is no part of a rollout. */
function progressing({ stage }: Assessment, outcome: Outcome): Conclusion {
  const conclude = (status: Conclusion['status'], reason: string, message: string): Conclusion => ({ type: 'Progressing', status, reason, message });
  switch (stage.kind) {
    case 'Serving':
    case 'Short':
      return conclude('False', 'RolledOut', 'The current revision is rolled out.');
    case 'RollingOut': {
      if (outcome.kind === 'done') return conclude('True', stage.reason, stage.message);
      const { reason, message } = refusal(outcome);
      return conclude('False', reason, message);
    }
    case 'Waiting':
    case 'Blocked':
    case 'Stuck':
      return conclude('False', stage.reason, stage.message);
  }
}

/** Whether what is served is what the source has to offer now. */
function modelResolved({ source, target }: Observed): Conclusion {
  const conclude = (status: Conclusion['status'], reason: string, message: string): Conclusion => ({ type: 'ModelResolved', status, reason, message });
  if (source.kind === 'Made') return conclude('True', 'ModelFound', `The model is that of TrainingJob ${source.trainingJob}.`);
  const meanwhile = target === undefined ? '' : ` The model of TrainingJob ${target.trainingJob} is served meanwhile.`;
  return conclude('False', source.reason, `${source.message}${meanwhile}`);
}
