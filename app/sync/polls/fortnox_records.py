"""Fortnox's customers, articles and supplier invoices, by `lastmodified`."""

from app.fortnox.poll import Window, news
from app.sync.polls.keeping import fortnox_event, keep, place_of
from app.sync.sides import Sides
from app.worklist import Item

EVENTS = {  # topic and type, as the WebSocket would tell it
    "articles": ("articles", "article-updated"),
    "customers": ("customers", "customer-updated"),
    "supplier_invoices": ("supplier-invoices", "supplier-invoice-updated"),
}


def sync(sides: Sides, item: Item) -> None:
    register = item.key.partition(":")[2]
    window, began = Window.read(place_of(sides, item)), sides.clock()
    numbers, window = news(window, sides.fortnox.modified(register, window.asked_from), began)
    topic, kind = EVENTS[register]
    bodies = [fortnox_event(topic, kind, number) for number in numbers]
    keep(sides, item, bodies, window.place())
