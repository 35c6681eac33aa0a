import type { Empty, Features, Input, Picture } from "./state";

export function isFeatures(input: Input): input is Features & { name: string } {
	return "labels" in input;
}

export function isPicture<T extends object>(input: T | Picture | Empty): input is Picture & T {
	return "data" in input;
}

/** Height and width of a picture, and its channels where it has several. */
export function pictureShape(input: Input | undefined): number[] | null {
	return input && isPicture(input) ? input.shape : null;
}

/** What there is, if anything. */
export function filled<T extends object>(value: T | Empty): T | null {
	return Object.keys(value).length > 0 ? (value as T) : null;
}
