/** Colours between a colour input, which speaks hexadecimal bytes, and a field, whose channels run from min to max. */
import type { Ends } from "./slider";

export function toHex(channels: number[], { min, max }: Ends): string {
	const bytes = channels.map((value) => {
		const byte = Math.round((255 * (value - min)) / (max - min));
		return Math.min(Math.max(byte, 0), 255).toString(16).padStart(2, "0");
	});
	return `#${bytes.join("")}`;
}

export function fromHex(hex: string, { min, max }: Ends): number[] {
	return [1, 3, 5].map((at) => min + ((max - min) * Number.parseInt(hex.slice(at, at + 2), 16)) / 255);
}
