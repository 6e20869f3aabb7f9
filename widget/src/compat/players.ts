/** Placeholders of tarteaucitron for films: an empty box that names the film. */
import { ourKey } from "./names";

const addresses: Record<string, string> = {
  youtube: "https://www.youtube-nocookie.com/embed/",
  vimeo: "https://player.vimeo.com/video/",
  dailymotion: "https://geo.dailymotion.com/player.html?video=",
};

export const players = Object.keys(addresses)
  .map((name) => `.${name}_player[videoid]`)
  .join();

/** The box becomes a frame of ours that is held. */
export function adoptPlayer(box: Element): void {
  const name = Object.keys(addresses).find((one) => box.classList.contains(one + "_player")) as string;
  const frame = document.createElement("iframe");
  for (const kept of ["width", "height", "title", "class"]) if (box.hasAttribute(kept)) frame.setAttribute(kept, box.getAttribute(kept) as string);
  frame.allowFullscreen = true;
  frame.setAttribute("data-consent", ourKey(name));
  frame.setAttribute("data-consent-src", addresses[name] + encodeURIComponent(box.getAttribute("videoid") as string));
  box.replaceWith(frame);
}
