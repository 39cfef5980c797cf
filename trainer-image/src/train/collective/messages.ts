/** What replicas say to each other, beside payloads of numbers. */
import type { TrainingResult } from '@anneal/operator/api';
import type { Loss, Member, View } from './membership.ts';

export type Message =
  /** I am here, with the data read, and wait to be let in; or I am in that view. Said again whenever it changes. */
  | { readonly type: 'Here'; readonly view: number; readonly runDigest: string; readonly connected: readonly Member[] }
  /** These are lost to me. */
  | { readonly type: 'Lost'; readonly losses: readonly (readonly [string, Loss])[] }
  /** I end on purpose; what I sent before still holds. */
  | { readonly type: 'Leaving' }
  /** Stop what you exchange in earlier views, and tell me where you stand. `view` is the sender's. */
  | { readonly type: 'Gather'; readonly number: number; readonly view?: View; readonly losses: readonly (readonly [string, Loss])[] }
  | { readonly type: 'Report'; readonly number: number; readonly standpoint: string; readonly views: readonly View[] }
  /** The next view. Whoever does not stand where its sender stands gets the state. */
  | { readonly type: 'Install'; readonly view: View; readonly withState: boolean }
  /** Others went on without you. */
  | { readonly type: 'Removed' }
  /** Partial sums of one part of the gradient, for its owner; and what was predicted for the sender's shards, for all. */
  | { readonly type: 'Partials'; readonly view: number; readonly step: number; readonly digest?: string }
  /** The gradient's part of which the sender is the owner. */
  | { readonly type: 'Sum'; readonly view: number; readonly step: number }
  /** The model is written. */
  | { readonly type: 'Done'; readonly result: TrainingResult }
  /** Too few are left to go on. */
  | { readonly type: 'End'; readonly why: string };
