// As in Firefox before 145.
Object.assign(Atomics, { waitAsync: undefined });
