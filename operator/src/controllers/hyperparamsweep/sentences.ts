/** Wordings that several conclusions share. */

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

export function refusedSentence(trial: string, said: string): string {
  return `The API server refused TrainingJob ${trial}: ${said}`;
}
