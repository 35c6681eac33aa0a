/** Numbers as text: a true minus sign, and no more digits than mean something. */
import type { Card } from "./state";

export function fixed(value: number, decimals: number): string {
	const text = value.toFixed(decimals);
	// A rounded-away negative would read "-0.00".
	return minus(Number(text) === 0 ? text.replace("-", "") : text);
}

export function significant(value: number, digits: number): string {
	return minus(String(Number(value.toPrecision(digits))));
}

/** A number with its sign shown, for the ends of a scale. */
export function signed(value: number, digits: number): string {
	return (value > 0 ? "+" : "") + significant(value, digits);
}

export function percent(fraction: number): string {
	const value = 100 * fraction;
	return `${fixed(value, Math.abs(value) < 10 ? 1 : 0)} %`;
}

export function withUnit(text: string, unit: string): string {
	return unit ? `${text} ${unit}` : text;
}

/** Decimals that give the largest of some numbers four digits, so that a column of them lines up. */
export function sharedDecimals(values: number[]): number {
	const largest = Math.max(0, ...values.map(Math.abs));
	if (largest === 0) return 2;
	return Math.min(Math.max(3 - Math.floor(Math.log10(largest)), 0), 6);
}

/** The decimals of all scores of a card, wherever they are shown. */
export function scoreDecimals({ score, baseline_score, sum, residual }: Card): number {
	return sharedDecimals([score, baseline_score, sum, residual].filter((value) => value !== null));
}

/** As a number box holds it: plain ASCII, free of the noise of binary fractions. */
export function typed(value: number): string {
	const plain = Number(value.toPrecision(6));
	return plain !== 0 && Math.abs(plain) < 1e-4 ? plain.toExponential() : String(plain);
}

function minus(text: string): string {
	return text.replaceAll("-", "\u2212");
}
