import L from "leaflet";
import "leaflet/dist/leaflet.css";

const map = L.map("map", { zoomAnimation: false, fadeAnimation: false, inertia: false }).setView([60.17, 24.94], 10);
const tiles = L.tileLayer("/tiles/{z}/{x}/{y}.svg", { maxZoom: 12, attribution: "Own tiles" }).addTo(map);
L.marker([60.17, 24.94], { icon: L.divIcon({ html: "<b>Here</b>" }) }).addTo(map).bindPopup("<p>Our shop</p>");
L.geoJSON({ type: "Point", coordinates: [24.8, 60.2] }, { pointToLayer: (_, at) => L.circleMarker(at) }).addTo(map);
const tell = () => (document.getElementById("state").textContent = "zoom " + map.getZoom());
tiles.on("load", tell);
