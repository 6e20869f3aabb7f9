import { useState } from "react";

export default function About() {
  const [broken, setBroken] = useState(false);
  if (broken) throw new Error("broken on purpose");
  return (
    <article>
      <h2>About</h2>
      <svg width="20" height="20"><circle cx="10" cy="10" r="8" /></svg>
      <button id="break" onClick={() => setBroken(true)}>Break</button>
    </article>
  );
}
