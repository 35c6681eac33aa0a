import { useLayoutEffect, useRef, useState } from "../hooks";

const NOTICE = 2000;

/** Hands over the Python source of what is shown. Where the page may not copy, the text is laid out, selected. */
export function CopyCode({ code }: { code: string }) {
	const [copied, setCopied] = useState(0);
	const [laidOut, setLaidOut] = useState(false);
	const button = useRef<HTMLButtonElement>(null);
	const source = useRef<HTMLTextAreaElement>(null);

	useLayoutEffect(() => {
		if (!copied) return;
		const timer = setTimeout(() => setCopied(0), NOTICE);
		return () => clearTimeout(timer);
	}, [copied]);
	useLayoutEffect(() => {
		if (laidOut) source.current?.select();
	}, [laidOut]);

	const copy = async () => {
		try {
			await navigator.clipboard.writeText(code);
			setCopied(copied + 1);
		} catch {
			// Plain http has no clipboard, and a frame may be denied it.
			setLaidOut(true);
		}
	};

	return (
		<div class="xai-copy">
			<span aria-live="polite">{copied > 0 && "Copied"}</span>
			<button ref={button} type="button" onClick={copy}>
				Copy as code
			</button>
			{laidOut && (
				<textarea
					ref={source}
					readOnly
					aria-label="Python code"
					value={code}
					onCopy={() => setCopied(copied + 1)}
					onBlur={() => setLaidOut(false)}
					// Leaving closes it.
					onKeyDown={({ key }) => key === "Escape" && button.current?.focus()}
				/>
			)}
		</div>
	);
}
