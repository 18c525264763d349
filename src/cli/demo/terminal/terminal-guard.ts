const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Sees to it that a changed terminal is put back whatever ends the process: exit, an uncaught error, a signal that
 * nobody else handles (which then takes its usual effect). Where the shell suspends the process (Ctrl-Z) the terminal is
 * put back too and taken again on return. SIGKILL cannot be guarded against.
 *
 * Main thread only. Holds no event loop open.
 *
 * @param restore puts the terminal back; called at most once for each `resume`, must write synchronously
 * @param resume takes the terminal again after a suspension
 * @returns undoes the guard
 */
export function guardTerminal(restore: () => void, resume: () => void): () => void {
  const onExit = (): void => restore();
  const onSignal = (signal: NodeJS.Signals): void => {
    // somebody else decides what the signal does; they end the view or the process
    if (process.listenerCount(signal) > 1) return;
    release();
    restore();
    process.kill(process.pid, signal);
  };
  const onSuspend = (): void => {
    restore();
    process.kill(process.pid, 'SIGSTOP');
  };
  const canSuspend = process.platform !== 'win32';
  const release = (): void => {
    process.off('exit', onExit);
    for (const signal of ENDING_SIGNALS) process.off(signal, onSignal);
    if (canSuspend) {
      process.off('SIGTSTP', onSuspend);
      process.off('SIGCONT', resume);
    }
  };
  process.on('exit', onExit);
  for (const signal of ENDING_SIGNALS) process.on(signal, onSignal);
  if (canSuspend) {
    process.on('SIGTSTP', onSuspend);
    process.on('SIGCONT', resume);
  }
  return release;
}
