"""How messages look, as pictures of a phone: the demo's recordings through the judge and the render, then a browser.

scenes      what is shown: which messages of the demo's day, and the text of each as it is kept beside its picture
page        a scene as a page of HTML, in the manner of Telegram by day and by night
browser     the page as a picture, by headless Chromium
"""
