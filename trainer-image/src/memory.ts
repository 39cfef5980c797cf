/** How much memory the program may use in this container. */

/**
 * @param total  bytes of the machine. @param constrained  what the container may use of them: 0, or more than there is, where it is not limited
 */
export const memoryFor = (total: number, constrained: number): number => (constrained > 0 ? Math.min(total, constrained) : total);
