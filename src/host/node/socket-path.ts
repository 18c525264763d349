import { type BigIntStats, chmodSync, linkSync, lstatSync, mkdtempSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { describeValue, FrameDeadlineError } from '../../base/errors.js';

/** `sun_path` of the system's `sockaddr_un`, less the final 0: a longer path would be cut short without a word. */
export const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;
const PROBE_TIMEOUT_MS = 1000;
/** Systems without hard links to sockets. */
const NO_LINK = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
const IS_WINDOWS = process.platform === 'win32';

/** @throws FrameDeadlineError OPTION_INVALID for what cannot be the path of a local socket here. @returns it, absolute */
export function checkSocketPath(path: string): string {
  if (IS_WINDOWS) {
    if (/^\\\\[.?]\\pipe\\[^\\]/i.test(path)) return path;
    throw invalid(path, 'the name of a pipe expected, such as \\\\.\\pipe\\my-app');
  }
  const absolute = resolve(path);
  // it is made in a folder beside it first
  const bytes = Math.max(Buffer.byteLength(absolute), Buffer.byteLength(nursery(absolute)) + '/s'.length);
  if (bytes <= MAX_PATH_BYTES) return absolute;
  throw invalid(
    path,
    `it needs ${bytes} bytes, at most ${MAX_PATH_BYTES} expected (the system's limit for sockets); choose a shorter one, such as in /tmp or $XDG_RUNTIME_DIR`,
  );
}

/**
 * Lets `server` listen on a socket at `path` that only this user can connect to. No moment is open to others: the socket
 * is made and closed to them (0600) inside a new folder that only this user can enter (0700), and then gets its name by a
 * hard link, which fails if there is anything by that name. (A umask would be the whole process's, and threads other than
 * the main one cannot set it.) A socket of this user on which nobody listens is replaced; nothing else ever is.
 *
 * @param path from {@link checkSocketPath}
 * @returns the socket's identity for {@link removeSocket}; null for a pipe, which the system removes
 * @throws FrameDeadlineError TELEMETRY_PATH_IN_USE, OUTPUT_UNWRITABLE
 */
export async function listenPrivately(server: Server, path: string): Promise<string | null> {
  if (IS_WINDOWS) {
    // a pipe's own default: full access for its user, the system and administrators
    await listen(server, path);
    return null;
  }
  const found = lstat(path);
  if (found !== null) await requireDead(path, found);
  const folder = makeFolder(path);
  const made = join(folder, 's');
  try {
    await listen(server, made);
    chmodSync(made, 0o600);
    if (found !== null) takeAway(path, found, folder);
    nameIt(made, path);
    return identityOf(lstatSync(path, { bigint: true }));
  } catch (error) {
    server.close();
    throw error instanceof FrameDeadlineError ? error : unwritable(path, error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Removes the socket at `path` if it still is the one. Never throws; synchronous, for the end of a process. */
export function removeSocket(path: string, identity: string | null): void {
  if (identity === null) return;
  try {
    const found = lstat(path);
    if (found?.isSocket() && identityOf(found) === identity) unlinkSync(path);
  } catch {
    // its folder is gone or closed to us
  }
}

function identityOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}

function lstat(path: string): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Passes for a socket of this user that nobody listens on. */
async function requireDead(path: string, found: BigIntStats): Promise<void> {
  if (!found.isSocket())
    throw inUse(path, `is ${kindOf(found)}, which is not replaced; remove it or give another path`);
  if (found.uid !== BigInt(process.geteuid?.() ?? -1)) {
    throw inUse(path, `is a socket of user ${found.uid}, which is not replaced; give another path`);
  }
  const answer = await probe(path);
  if (answer === 'ECONNREFUSED') return;
  if (answer === null)
    throw inUse(path, 'is served already, by a running process; close that one or give another path');
  throw inUse(path, `is a socket that may be in use (${answer}); give another path`);
}

/** The error code of a try to connect; null if somebody listens. */
function probe(path: string): Promise<string | null> {
  return new Promise((resolveWith) => {
    const socket = connect(path);
    const done = (code: string | null): void => {
      socket.destroy();
      resolveWith(code);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => done('no answer'));
    socket.on('connect', () => done(null));
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
  });
}

/** Removes a dead socket. Somebody who replaced it by a living one since we looked gets it back. */
function takeAway(path: string, dead: BigIntStats, folder: string): void {
  const old = join(folder, 'o');
  try {
    renameSync(path, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (identityOf(lstatSync(old, { bigint: true })) === identityOf(dead)) return;
  nameIt(old, path);
  throw inUse(path, 'was taken by another process meanwhile; give another path');
}

function nameIt(made: string, path: string): void {
  try {
    linkSync(made, path);
    return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw inUse(path, 'was taken by another process meanwhile; give another path');
    if (!NO_LINK.has(code ?? '')) throw error;
  }
  // between the two calls somebody of the same folder could still take the name, and lose it
  if (lstat(path) !== null) throw inUse(path, 'was taken by another process meanwhile; give another path');
  renameSync(made, path);
}

function makeFolder(path: string): string {
  try {
    return mkdtempSync(nursery(path).slice(0, -6));
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Its six last characters are chosen by the system. */
function nursery(path: string): string {
  return join(dirname(path), '.XXXXXX');
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolveWith, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const taken = error.code === 'EADDRINUSE' || (IS_WINDOWS && error.code === 'EACCES');
      reject(taken ? inUse(path, 'is served already; close that one or give another path') : unwritable(path, error));
    };
    server.once('error', onError);
    // exclusive: in a process of a cluster the primary would listen otherwise
    server.listen({ path, exclusive: true }, () => {
      server.off('error', onError);
      resolveWith();
    });
  });
}

function kindOf(stats: BigIntStats): string {
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFile()) return 'a file';
  return 'no socket';
}

function invalid(path: string, why: string): FrameDeadlineError {
  return new FrameDeadlineError('OPTION_INVALID', `path ${describeValue(path)} of the telemetry socket: ${why}`);
}

function inUse(path: string, why: string): FrameDeadlineError {
  return new FrameDeadlineError('TELEMETRY_PATH_IN_USE', `telemetry socket: ${path} ${why}`);
}

function unwritable(path: string, cause: unknown): FrameDeadlineError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const advice = code === 'ENOENT' ? '; create its folder first' : '';
  return new FrameDeadlineError(
    'OUTPUT_UNWRITABLE',
    `the telemetry socket ${path} cannot be made: ${code ?? message}${advice}`,
    { cause },
  );
}
