import { Component, StrictMode, Suspense, lazy, useEffect, useState } from "react";
import { createPortal } from "react-dom";
import { createRoot } from "react-dom/client";

const About = lazy(() => import("./about.jsx"));

class Boundary extends Component {
  state = { failed: false };
  static getDerivedStateFromError() {
    return { failed: true };
  }
  render() {
    return this.state.failed ? <p id="failed">Something broke</p> : this.props.children;
  }
}

function useRoute() {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const follow = () => setPath(location.pathname);
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);
  const go = (to) => {
    history.pushState({ to }, "", to);
    setPath(to);
  };
  return [path, go];
}

function Shop() {
  const [items, setItems] = useState([]);
  const [word, setWord] = useState("");
  const [dark, setDark] = useState(() => localStorage.getItem("dark") === "yes");
  useEffect(() => {
    fetch("/api/items").then((answer) => answer.json()).then(setItems);
  }, []);
  useEffect(() => {
    localStorage.setItem("dark", dark ? "yes" : "no");
    document.body.classList.toggle("dark", dark);
  }, [dark]);
  const add = (event) => {
    event.preventDefault();
    setItems([...items, { id: items.length + 1, name: word }]);
    setWord("");
  };
  return (
    <section>
      <ul>{items.map((item) => <li key={item.id} style={{ color: dark ? "white" : "black" }}>{item.name}</li>)}</ul>
      <form onSubmit={add}>
        <input id="word" value={word} onChange={(event) => setWord(event.target.value)} />
        <button id="add">Add</button>
      </form>
      <button id="dark" onClick={() => setDark(!dark)}>Dark</button>
      <div id="html" dangerouslySetInnerHTML={{ __html: "<b>Set</b> <img alt='' src='/assets/dot.svg'>" }} />
    </section>
  );
}

function App() {
  const [path, go] = useRoute();
  const isAbout = path.endsWith("/about");
  return (
    <StrictMode>
      <nav>
        <a id="to-shop" href="/react/" onClick={(event) => (event.preventDefault(), go("/react/"))}>Shop</a>
        <a id="to-about" href="/react/about" onClick={(event) => (event.preventDefault(), go("/react/about"))}>About</a>
      </nav>
      <Suspense fallback={<p>Loading</p>}>{isAbout ? <Boundary><About /></Boundary> : <Shop />}</Suspense>
      {createPortal(<p id="portal">{path}</p>, document.body)}
    </StrictMode>
  );
}

createRoot(document.getElementById("root")).render(<App />);
