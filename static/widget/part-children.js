t=>{t.tag?.hasAttribute("data-consent-child")&&Object.assign(t.config,t.config.child)}
