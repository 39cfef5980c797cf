/** The plan of a run: what would be trained on what, and what it would take. */
export { renderPlan } from './render.ts';
export { planInThread } from './thread.ts';
