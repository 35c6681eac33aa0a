import type { Empty, Features, Input, Picture } from "./state";

export function isFeatures(input: Input): input is Features & { name: string } {
	return "labels" in input;
}

export function isPicture<T extends object>(input: T | Picture | Empty): input is Picture & T {
	return "data" in input;
}

/** What there is, if anything. */
export function filled<T extends object>(value: T | Empty): T | null {
	return Object.keys(value).length > 0 ? (value as T) : null;
}
