/**
 * Whether a `Host` header names this machine. A page of another host whose name was made to point at 127.0.0.1 (DNS
 * rebinding) could read what is served here; it has its own name in `Host`.
 */
export function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && /^(127(\.\d{1,3}){3}|\[::1\]|([a-z0-9-]+\.)*localhost)(:\d{1,5})?$/i.test(host);
}
