import { readNiceness } from './thread-control.js';

/**
 * Priority for users who may not set it themselves: a desktop's portal, or RealtimeKit, grants negative niceness to
 * threads of the user's own session. Asked over D-Bus by `dbus-native`, an optional peer dependency: what speaks D-Bus is
 * no part of the addon, so it works without one. Real-time is not asked for: it takes a limit that only the addon sets.
 */

/** What is used of `dbus-native`. */
interface Bus {
  invoke(
    message: {
      destination: string;
      path: string;
      interface: string;
      member: string;
      signature: string;
      body: unknown[];
    },
    callback: (error: Error | null) => void,
  ): void;
  connection: { on(event: 'error', listener: (error: Error) => void): void; end(): void };
}
interface DbusNative {
  createClient(options: { busAddress: string }): Bus;
}

/** A service that grants priority. */
interface Broker {
  readonly name: string;
  readonly busAddress: string | undefined;
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  body(threadId: number, niceness: number): unknown[];
}

/** Where the bus of the system is if nothing else is said (D-Bus specification, "System message bus"). */
const SYSTEM_BUS = 'unix:path=/var/run/dbus/system_bus_socket';
const PATIENCE_MS = 1000;

/** In the order of asking: the portal also reaches out of sandboxes. */
function brokers(): readonly Broker[] {
  const { DBUS_SESSION_BUS_ADDRESS: session, DBUS_SYSTEM_BUS_ADDRESS: system } = process.env;
  return [
    {
      name: 'portal',
      busAddress: session,
      destination: 'org.freedesktop.portal.Desktop',
      path: '/org/freedesktop/portal/desktop',
      interface: 'org.freedesktop.portal.Realtime',
      member: 'MakeThreadHighPriorityWithPID',
      signature: 'tti',
      body: (threadId, niceness) => [BigInt(process.pid), BigInt(threadId), niceness],
    },
    {
      name: 'RealtimeKit',
      busAddress: system ?? SYSTEM_BUS,
      destination: 'org.freedesktop.RealtimeKit1',
      path: '/org/freedesktop/RealtimeKit1',
      interface: 'org.freedesktop.RealtimeKit1',
      member: 'MakeThreadHighPriority',
      signature: 'ti',
      body: (threadId, niceness) => [BigInt(threadId), niceness],
    },
  ];
}

export interface Raised {
  /** Niceness in force afterwards, read back; null where it cannot be read. */
  readonly niceness: number | null;
  /** The call that did it, or null. */
  readonly mechanism: string | null;
  /** Why not, one reason for each service that was asked, or null. */
  readonly reason: string | null;
}

/**
 * Asks for a negative niceness for a thread of this process. Never rejects; takes at most a second for each service.
 * @param niceness -15 (what RealtimeKit grants at most unless configured) to -1
 */
export async function raiseThread(threadId: number, niceness: number): Promise<Raised> {
  const reasons: string[] = [];
  let dbus: DbusNative;
  try {
    // by a name that no bundler follows: it may be missing
    const name = 'dbus-native';
    const module = (await import(name)) as { default: DbusNative };
    dbus = module.default;
  } catch {
    return { niceness: readNiceness(threadId), mechanism: null, reason: 'RealtimeKit: dbus-native is not installed' };
  }
  for (const broker of brokers()) {
    if (broker.busAddress === undefined) continue;
    const refusal = await ask(dbus, broker, broker.busAddress, threadId, niceness);
    const now = readNiceness(threadId);
    if (refusal === null && now === niceness) {
      return { niceness: now, mechanism: `${broker.name} ${broker.member} ${niceness}`, reason: null };
    }
    reasons.push(`${broker.name}: ${refusal ?? `granted, but niceness is ${now}`}`);
  }
  return { niceness: readNiceness(threadId), mechanism: null, reason: reasons.join('; ') };
}

/** Null if it was granted, else why not. */
function ask(
  dbus: DbusNative,
  broker: Broker,
  busAddress: string,
  threadId: number,
  niceness: number,
): Promise<string | null> {
  return new Promise((resolve) => {
    let bus: Bus | null = null;
    const end = (refusal: string | null): void => {
      clearTimeout(timer);
      bus?.connection.end();
      resolve(refusal);
    };
    const timer = setTimeout(() => end(`no answer within ${PATIENCE_MS} ms`), PATIENCE_MS);
    try {
      bus = dbus.createClient({ busAddress });
      bus.connection.on('error', (error) => end(nameOf(error)));
      const { destination, path, member, signature } = broker;
      const body = broker.body(threadId, niceness);
      bus.invoke({ destination, path, interface: broker.interface, member, signature, body }, (error) =>
        end(error === null || error === undefined ? null : nameOf(error)),
      );
    } catch (error) {
      end(nameOf(error as Error));
    }
  });
}

/** The bus's own name of an error, the system's, or the text. */
function nameOf(error: Error & { dbusName?: string; code?: string }): string {
  return error.dbusName ?? error.code ?? error.message;
}
