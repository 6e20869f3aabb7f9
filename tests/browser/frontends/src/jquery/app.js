import $ from "jquery";

window.$ = window.jQuery = $;
$.ajaxSetup({ cache: true });
$(function () {
  document.cookie = "basket=empty; path=/";
  $("#list").on("click", "li", function () {
    $(this).toggleClass("chosen").siblings().removeClass("chosen");
    document.cookie = "basket=" + $(this).text() + "; path=/";
  });
  $("#load").on("click", function () {
    $.getJSON("/api/items", { page: 1 }).done(function (items) {
      $("#list").append($("<ul>").append($.map(items, (item) => $("<li>", { text: item.name, "data-id": item.id }))));
    });
  });
  $("#script").on("click", function () {
    $.getScript("/assets/plugin.js").done(() => $("#into").append("<p id=plugged>" + window.plugged + "</p>"));
  });
  $("#html").on("click", function () {
    $("#into").html("<em>Set</em><script>document.getElementById('into').dataset.ran = 'yes';<\/script>");
    const faded = $("#hidden").fadeOut(20).promise();
    const sent = { method: "POST", data: JSON.stringify({ name: "from jQuery" }), contentType: "application/json" };
    $.when($.ajax("/api/items", sent), faded).always(([answer]) => $("#into").append("<p id=posted>" + answer.name + "</p>"));
  });
});
