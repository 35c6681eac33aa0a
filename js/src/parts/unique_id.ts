import { useMemo } from "../hooks";

/**
 * An id for `aria-*` and radio groups. Preact's own `useId` counts within one tree, and a notebook page holds many;
 * `crypto.randomUUID` is missing on plain http.
 */
export function useUniqueId(): string {
	return useMemo(() => `xai-${Math.random().toString(36).slice(2)}`, []);
}
