import { BoxGeometry, Mesh, MeshBasicMaterial, PerspectiveCamera, Scene, TextureLoader, WebGLRenderer } from "three";

const scene = new Scene();
const camera = new PerspectiveCamera(60, 1, 0.1, 10);
camera.position.z = 2;
const renderer = new WebGLRenderer({ preserveDrawingBuffer: true });
renderer.setSize(64, 64);
document.body.append(renderer.domElement);

const texture = await new TextureLoader().loadAsync("/assets/dot.svg");
const cube = new Mesh(new BoxGeometry(1, 1, 1), new MeshBasicMaterial({ map: texture }));
scene.add(cube);

function draw() {
  renderer.render(scene, camera);
  const pixel = new Uint8Array(4);
  renderer.getContext().readPixels(32, 32, 1, 1, 6408, 5121, pixel);
  document.getElementById("state").textContent = "drawn " + cube.rotation.y.toFixed(1) + " " + pixel.join(" ");
}

document.getElementById("turn").addEventListener("click", () => {
  cube.rotation.y += 0.3;
  requestAnimationFrame(draw);
});
draw();
