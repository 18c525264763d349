export const ISOLATION: Readonly<Record<string, string>>;
export const POLICY: Readonly<Record<string, string>>;
