import LogRocket from "logrocket";

LogRocket.init("stand-in/shop");
LogRocket.identify("visitor");
