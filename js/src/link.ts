/** What is pointed at or focused, in whatever chart; what was clicked stays lit. */
export interface Link {
	lit: number | null;
	pinned: number | null;
	onLit: (part: Lit | null) => void;
	onPin: (feature: number) => void;
}
export interface Lit {
	feature: number | null;
	/** What the read-out says. */
	text: string;
}
