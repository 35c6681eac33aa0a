/** A region of a picture, painted by hand or moved by keys: which pixels are in it, and what maps give to it. */
import type { Size } from "./reading";
import type { Spot } from "./view";

export interface Mask extends Size {
	/** 1 for each pixel that is in it. */
	bits: Uint8Array;
}

export function emptyMask({ height, width }: Size): Mask {
	return { height, width, bits: new Uint8Array(height * width) };
}

/** Start and length of each run of pixels in reading order: how a region travels. */
export function toRuns({ bits }: Mask): number[] {
	const runs: number[] = [];
	for (let i = 0; i < bits.length; i++) {
		if (!bits[i]) continue;
		const start = i;
		while (i < bits.length && bits[i]) i++;
		runs.push(start, i - start);
	}
	return runs;
}

export function fromRuns(runs: number[], size: Size): Mask {
	const mask = emptyMask(size);
	for (let i = 0; i < runs.length; i += 2) mask.bits.fill(1, runs[i], runs[i] + runs[i + 1]);
	return mask;
}

/** With a stroke of a round brush from one spot to another, put in or taken out; a brush is never thinner than a pixel. */
export function stroked(mask: Mask, from: Spot, to: Spot, radius: number, on: boolean): Mask {
	const { height, width } = mask;
	const bits = mask.bits.slice();
	const [x0, y0, x1, y1] = [from.x * width, from.y * height, to.x * width, to.y * height];
	const reach = Math.max(radius, 0.71);
	const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
	const within = (value: number, size: number) => Math.min(Math.max(Math.floor(value), 0), size - 1);
	for (let y = within(Math.min(y0, y1) - reach, height); y <= within(Math.max(y0, y1) + reach, height); y++) {
		for (let x = within(Math.min(x0, x1) - reach, width); x <= within(Math.max(x0, x1) + reach, width); x++) {
			const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
			const along = length ? Math.min(Math.max((px * (x1 - x0) + py * (y1 - y0)) / length, 0), 1) : 0;
			const apart = (px - along * (x1 - x0)) ** 2 + (py - along * (y1 - y0)) ** 2;
			if (apart <= reach * reach) bits[y * width + x] = Number(on);
		}
	}
	return { height, width, bits };
}

interface Box {
	left: number;
	top: number;
	right: number;
	bottom: number;
}

/** The smallest box around a region, its right and bottom past the end; null for an empty one. */
export function boxOf({ height, width, bits }: Mask): Box | null {
	const box = { left: width, top: height, right: 0, bottom: 0 };
	for (let y = 0, i = 0; y < height; y++) {
		for (let x = 0; x < width; x++, i++) {
			if (!bits[i]) continue;
			box.left = Math.min(box.left, x);
			box.right = Math.max(box.right, x + 1);
			box.top = Math.min(box.top, y);
			box.bottom = Math.max(box.bottom, y + 1);
		}
	}
	return box.right > 0 ? box : null;
}

export function rectangle(size: Size, { left, top, right, bottom }: Box): Mask {
	const mask = emptyMask(size);
	for (let y = top; y < bottom; y++) mask.bits.fill(1, y * size.width + left, y * size.width + right);
	return mask;
}

/**
 * By keys: the first one lays a rectangle in the middle, arrows move what is there, with Shift they size the rectangle
 * around it. Null for other keys.
 */
export function pressed(mask: Mask, key: string, resize: boolean): Mask | null {
	const { height, width } = mask;
	const step = Math.max(1, Math.round(Math.max(height, width) / 56));
	const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[key];
	if (!by) return null;
	const box = boxOf(mask);
	if (!box) {
		const [x, y] = [Math.floor(width / 3), Math.floor(height / 3)];
		return rectangle(mask, { left: x, top: y, right: width - x, bottom: height - y });
	}
	if (resize) {
		const right = Math.min(Math.max(box.right + by[0], box.left + 1), width);
		const bottom = Math.min(Math.max(box.bottom + by[1], box.top + 1), height);
		return rectangle(mask, { ...box, right, bottom });
	}
	const dx = Math.min(Math.max(by[0], -box.left), width - box.right);
	const dy = Math.min(Math.max(by[1], -box.top), height - box.bottom);
	const moved = emptyMask(mask);
	for (let y = box.top; y < box.bottom; y++) {
		const row = mask.bits.subarray(y * width + box.left, y * width + box.right);
		moved.bits.set(row, (y + dy) * width + box.left + dx);
	}
	return moved;
}

/** The border of a region as an SVG path in pixels of the picture. */
export function border({ height, width, bits }: Mask): string {
	const at = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && bits[y * width + x];
	const lines: string[] = [];
	for (let y = 0; y <= height; y++) {
		for (let x = 0; x < width; x++) {
			const start = x;
			while (x < width && Boolean(at(x, y)) !== Boolean(at(x, y - 1))) x++;
			if (x > start) lines.push(`M${start} ${y}H${x}`);
		}
	}
	for (let x = 0; x <= width; x++) {
		for (let y = 0; y < height; y++) {
			const start = y;
			while (y < height && Boolean(at(x, y)) !== Boolean(at(x - 1, y))) y++;
			if (y > start) lines.push(`M${x} ${start}V${y}`);
		}
	}
	return lines.join("");
}

export interface Claim {
	/** The sum of the values in the region. */
	sum: number;
	/** The part of all magnitudes that lies in it. */
	share: number;
}

/** What a map gives to a region; `total` is the sum of all its magnitudes. */
export function claimOf(values: Float64Array, runs: number[], total: number): Claim {
	let sum = 0;
	let size = 0;
	for (let i = 0; i < runs.length; i += 2) {
		const end = runs[i] + runs[i + 1];
		for (let at = runs[i]; at < end; at++) {
			sum += values[at];
			size += Math.abs(values[at]);
		}
	}
	return { sum, share: total > 0 ? size / total : 0 };
}
