export function growthOf(rssMib: readonly number[]): string[];
