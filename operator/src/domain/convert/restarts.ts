/** What the restart policies of replicas become: budgets of the whole job, and rules for roles that differ. */
import type { DraftFailurePolicy } from './draft.ts';
import type { Reader } from './reader.ts';

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never' | 'ExitCode';

export interface RoleRestart {
  readonly role: string;
  readonly policy: RestartPolicy;
  /** Where the policy is written; undefined where it is the source's default. */
  readonly source: Reader | undefined;
}

/** Kubeflow retries without end; a program that fails each time would burn its nodes for ever. */
const retries = 10;
const mostRetries = 10_000;
/** The most exit codes that one rule takes. */
const codesOfRule = 64;
const lastPermanentCode = 127;
const ownFaults = ['ApplicationError', 'OutOfMemory'] as const;

export function readBackoffLimit(limit: Reader | undefined, remark: string): number | undefined {
  if (limit === undefined) return undefined;
  const value = limit.scalar();
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) return limit.fail(`is ${JSON.stringify(value)}; write a whole number of at least 0.`);
  limit.remark(remark, 'Set the budgets of spec.failurePolicy as they should be.');
  if (value > mostRetries) limit.remark(`A budget is at most ${mostRetries}.`, 'Nothing is to be done.');
  return Math.min(value, mostRetries);
}

export function failurePolicyOf(roles: readonly RoleRestart[], backoffLimit: Reader | undefined, remark: string): { readonly failurePolicy?: DraftFailurePolicy } {
  const named = (policy: RestartPolicy): readonly string[] => roles.filter((role) => role.policy === policy).map(({ role }) => role);
  remarkPolicies(roles);
  const [never, byCode] = [named('Never'), named('ExitCode')];
  if (never.length === roles.length) {
    backoffLimit?.lose('The restart policy Never ends the job at the first failure.', 'Set spec.failurePolicy.budgets.applicationError to how often it may be made again.');
    return { failurePolicy: { budgets: { applicationError: 0, outOfMemory: 0 } } };
  }
  const limit = readBackoffLimit(backoffLimit, remark);
  const only = (names: readonly string[]): { readonly roles?: readonly string[] } => (names.length === roles.length ? {} : { roles: names });
  const rules = [
    ...(never.length === 0 ? [] : [{ when: { causes: ownFaults, ...only(never) }, action: 'Fail' as const }]),
    ...(byCode.length === 0 ? [] : permanentCodes().map((exitCodes) => ({ when: { exitCodes, ...only(byCode) }, action: 'Fail' as const }))),
  ];
  return { failurePolicy: { budgets: { applicationError: limit ?? retries }, ...(rules.length === 0 ? {} : { rules }) } };
}

/** Exit codes up to 127 are the program's own; from 128 on a signal ended it. */
function permanentCodes(): readonly (readonly number[])[] {
  const codes = Array.from({ length: lastPermanentCode }, (_, index) => index + 1);
  return [codes.slice(0, codesOfRule), codes.slice(codesOfRule)];
}

const restartScope = 'Set restartScope in the role and spec.failurePolicy.budgets.applicationError as they should be.';
const newPods = 'A failure makes new pods, of all roles that compute together or of the one that failed, where the others can wait; and it is paid from a budget of the whole job.';

const remarks: Readonly<Record<RestartPolicy, readonly [why: string, instead: string]>> = {
  Never: [
    'The program\'s own failures end the job, as before; what the cluster takes away (eviction, a lost node, a reclaimed spot node) is made again.',
    'Set the budgets preempted, nodeLost and spotReclaim to 0 to end the job then too.',
  ],
  OnFailure: [newPods, restartScope],
  Always: [`A pod that ends with 0 has succeeded and is not started again. ${newPods}`, restartScope],
  ExitCode: [`Exit codes 1 to 127 end the job, as before; those from 128 on are restarted. ${newPods}`, restartScope],
};

function remarkPolicies(roles: readonly RoleRestart[]): void {
  for (const { policy, source } of roles) {
    source?.remark(...remarks[policy]);
  }
}
