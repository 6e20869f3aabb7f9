import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

function ask(worker, question) {
  return new Promise((resolve) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.postMessage(question);
  });
}

function App() {
  const [sums, setSums] = useState([]);
  const [picture, setPicture] = useState("");
  const [told, setTold] = useState("");
  const canvas = useRef(null);
  useEffect(() => {
    const pen = canvas.current.getContext("2d");
    pen.fillStyle = "tomato";
    pen.fillRect(4, 4, 24, 24);
  }, []);
  const count = async () => {
    const own = await ask(new Worker("/assets/sum.js", { name: "sum" }), [1, 2, 3]);
    const code = URL.createObjectURL(new Blob(["onmessage = (e) => postMessage(e.data * 2)"], { type: "text/javascript" }));
    const made = await ask(new Worker(code), 21);
    URL.revokeObjectURL(code);
    const shared = new SharedWorker("/assets/shared.js");
    const said = await new Promise((resolve) => (shared.port.onmessage = (event) => resolve(event.data)));
    setSums([own, made, said]);
  };
  const draw = () =>
    canvas.current.toBlob((blob) => {
      const image = new Image();
      image.onload = () => setPicture(image.naturalWidth + " wide");
      image.src = URL.createObjectURL(blob);
    });
  const tell = () => {
    const channel = new BroadcastChannel("shop");
    const other = new BroadcastChannel("shop");
    other.onmessage = (event) => {
      setTold(event.data);
      channel.close();
      other.close();
    };
    channel.postMessage("told");
  };
  return (
    <div>
      <canvas ref={canvas} width="32" height="32" />
      <button id="count" onClick={count}>Count</button>
      <button id="draw" onClick={draw}>Draw</button>
      <button id="tell" onClick={tell}>Tell</button>
      <ul>{sums.map((sum) => <li>{String(sum)}</li>)}</ul>
      {picture && <p id="picture">{picture}</p>}
      {told && <p id="told">{told}</p>}
    </div>
  );
}

render(<App />, document.getElementById("app"));
