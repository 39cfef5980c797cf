/** Whether ever two operators wrote at once (I11): a pure look at what came through the proxy of each. */
import type { RecordedWrite } from '../faultproxy.ts';
import { resourceOf } from './outcome.ts';

/** One sentence for each write that an operator got done while another held the lease. `writes`: those of each operator. */
export function writesWithoutLease(writes: readonly (readonly RecordedWrite[])[]): string[] {
  const done = writes.flatMap((ofOne, operator) => ofOne.filter(({ code = 0 }) => code >= 200 && code < 300).map((write) => ({ operator, write }))).sort((a, b) => a.write.at - b.write.at);
  let holder: number | undefined;
  return done.flatMap(({ operator, write }) => {
    if (resourceOf(write.path) !== 'leases') return holder === operator ? [] : [`Operator ${operator} did ${write.method} ${write.path} while ${holder === undefined ? 'nobody' : `operator ${holder}`} held the lease.`];
    holder = holderIn(write.body) === '' ? undefined : operator;
    return [];
  });
}

function holderIn(body: unknown): string {
  return (body as { readonly spec?: { readonly holderIdentity?: string } } | undefined)?.spec?.holderIdentity ?? '';
}
