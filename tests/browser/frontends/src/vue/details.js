export default { props: ["name"], template: "<aside id='details'>Details of {{ name }}</aside>" };
