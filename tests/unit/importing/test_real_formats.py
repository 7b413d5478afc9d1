"""Made-up samples in the formats of real data sets and shop systems, and what comes of each."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recsys.core.domain import Item
from recsys.importing.item_rows import ItemOptions
from recsys.importing.plan import Reading, plan_items
from recsys.importing.presets import Preset
from recsys.importing.read_options import FileFormat, Quoting, ReadOptions
from recsys.importing.times import TimeOptions
from recsys.importing.values import Decimals
from recsys.stores.memory.items import MemoryItemStore
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue
from tests.unit.importing.shop import TENANT, run, take_in, without_create_times, write

Row = tuple[str, str, str, str]


@dataclass(frozen=True)
class Sample:
    """A file of events: its content, the options it needs, and (user, item, type, time) of each.

    Attributes:
        rejected: rows that are rejected, since they name no user.
    """

    name: str
    text: str
    rows: list[Row]
    how: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    rejected: int = 0
    encoding: str = "utf-8"


EVENTS = {
    "MovieLens 1M": Sample(
        "ratings.dat",
        "1::1193::5::978300760\n1::661::3::978302109\n",
        [
            ("1", "1193", "rating", "2000-12-31T22:12:40"),
            ("1", "661", "rating", "2000-12-31T22:35:09"),
        ],
        {"columns": ("user_id", "item_id", "stars", "timestamp")},
        {"event_type": "rating"},
    ),
    "MovieLens 100K": Sample(
        "u.data",
        "196\t242\t3\t881250949\n",
        [("196", "242", "rating", "1997-12-04T15:55:49")],
        {"file_format": FileFormat.CSV, "columns": ("user_id", "item_id", "stars", "timestamp")},
        {"event_type": "rating"},
    ),
    "MovieLens latest": Sample(
        "ratings.csv",
        "userId,movieId,rating,timestamp\n1,296,5.0,1147880044\n",
        [("1", "296", "rating", "2006-05-17T15:34:04")],
        options={"event_type": "rating"},
    ),
    "RetailRocket": Sample(
        "events.csv",
        "timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n"
        "1433221999827,257597,addtocart,355908,\n1433222276276,257597,transaction,355908,4000\n",
        [
            ("257597", "355908", "view", "2015-06-02T05:02:12.117"),
            ("257597", "355908", "add_to_cart", "2015-06-02T05:13:19.827"),
            ("257597", "355908", "purchase", "2015-06-02T05:17:56.276"),
        ],
    ),
    "REES46": Sample(
        "2019-Oct.csv",
        "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,"
        "user_session\n2019-10-01 00:00:00 UTC,cart,44600062,2103807459595387724,,shiseido,35.79,"
        "541312140,72d76fde\n",
        [("541312140", "44600062", "add_to_cart", "2019-10-01T00:00:00")],
    ),
    "Taobao": Sample(
        "UserBehavior.csv",
        "1,2268318,2520377,pv,1511544070\n1,2333346,2520771,buy,1511561733\n"
        "1,2576651,149192,fav,1511572885\n",
        [
            ("1", "2268318", "view", "2017-11-24T17:21:10"),
            ("1", "2333346", "purchase", "2017-11-24T22:15:33"),
            ("1", "2576651", "like", "2017-11-25T01:21:25"),
        ],
        {"columns": ("user_id", "item_id", "category", "event_type", "timestamp")},
    ),
    "YooChoose clicks": Sample(
        "yoochoose-clicks.dat",
        "1,2014-04-07T10:51:09.277Z,214536502,0\n",
        [("1", "214536502", "click", "2014-04-07T10:51:09.277")],
        {"columns": ("session_id", "timestamp", "item_id", "category")},
        {"event_type": "click"},
    ),
    "YooChoose buys": Sample(
        "yoochoose-buys.dat",
        "420374,2014-04-06T18:44:58.314Z,214537888,12462,1\n",
        [("420374", "214537888", "purchase", "2014-04-06T18:44:58.314")],
        {"columns": ("session_id", "timestamp", "item_id", "price", "quantity")},
        {"event_type": "purchase"},
    ),
    "H&M": Sample(
        "transactions_train.csv",
        "t_dat,customer_id,article_id,price,sales_channel_id\n"
        "2018-09-20,000058a12d,0663713001,0.050830508474576264,2\n",
        [("000058a12d", "0663713001", "purchase", "2018-09-20T00:00:00")],
        options={"mapping": ("t_dat=timestamp",), "event_type": "purchase"},
    ),
    "Last.fm 1K": Sample(
        "userid-timestamp-artid-artname-traid-traname.tsv",
        'user_1\t2009-05-04T23:08:57Z\tf1b1\tDeep Dish\t\tPod "live\n'
        'user_1\t2009-05-04T13:54:10Z\ta7f7\t"Weird Al\t\tEat It\n',
        [
            ("user_1", "a7f7", "view", "2009-05-04T13:54:10"),
            ("user_1", "f1b1", "view", "2009-05-04T23:08:57"),
        ],
        {
            "columns": ("user_id", "timestamp", "item_id", "artist", "track_id", "track"),
            "quoting": Quoting.NONE,
        },
        {"event_type": "view"},
    ),
    "Diginetica": Sample(
        "train-item-views.csv",
        "sessionId;userId;itemId;timeframe;eventdate\n1;NA;81766;526309;2016-05-09\n",
        [("1", "81766", "view", "2016-05-09T00:00:00")],
        options={
            "mapping": ("sessionId=user_id", "eventdate=timestamp"),
            "event_type": "view",
        },
    ),
    "Amazon reviews": Sample(
        "All_Beauty.jsonl",
        '{"rating": 5.0, "title": "Nice", "asin": "B00YQ6X8EO", "parent_asin": "B00YQ6X8EO", '
        '"user_id": "AGKH", "timestamp": 1588687728923, "verified_purchase": true}\n',
        [("AGKH", "B00YQ6X8EO", "rating", "2020-05-05T14:08:48.923")],
        options={"event_type": "rating"},
    ),
    "Amazon ratings": Sample(
        "ratings_Beauty.csv",
        "A39HTATAQ9V7YF,0205616461,5.0,1369699200\n",
        [("A39HTATAQ9V7YF", "0205616461", "rating", "2013-05-28T00:00:00")],
        {"columns": ("user_id", "item_id", "stars", "timestamp")},
        {"event_type": "rating"},
    ),
    "Shopify orders": Sample(
        "orders_export.csv",
        "Name,Email,Financial Status,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
        "Lineitem sku\n#1001,ann@x.org,paid,2019-10-20 10:00:00 +0200,2,Lamp,9.50,L1\n"
        '#1001,ann@x.org,,2019-10-20 10:00:00 +0200,1,"Hat, 5""",5.00,H1\n',
        [
            ("ann@x.org", "L1", "purchase", "2019-10-20T08:00:00"),
            ("ann@x.org", "H1", "purchase", "2019-10-20T08:00:00"),
        ],
        options={
            "mapping": ("Email=user_id", "Lineitem sku=item_id", "Name=order_id"),
            "event_type": "purchase",
        },
    ),
    "Shopify orders, of its API": Sample(
        "orders.jsonl",
        '{"id": 450789469, "created_at": "2019-10-20T10:00:00+02:00", "customer": {"id": 207},'
        ' "line_items": [{"product_id": 632, "quantity": 1, "price": "199.00"},'
        ' {"product_id": 921, "quantity": 2, "price": "5.00"}]}\n'
        '{"id": 450789470, "created_at": "2019-10-21T10:00:00+02:00", "customer": {"id": 208},'
        ' "line_items": [{"product_id": 632, "quantity": 1, "price": "199.00"}]}\n',
        [
            ("207", "632", "purchase", "2019-10-20T08:00:00"),
            ("207", "921", "purchase", "2019-10-20T08:00:00"),
            ("208", "632", "purchase", "2019-10-21T08:00:00"),
        ],
        {"explode": "line_items"},
        {
            "mapping": (
                "customer.id=user_id",
                "line_items.product_id=item_id",
                "id=order_id",
                "line_items.quantity=quantity",
                "line_items.price=price",
            ),
            "event_type": "purchase",
        },
    ),
    "Segment, completed orders": Sample(
        "track.jsonl",
        '{"messageId": "m1", "userId": "u1", "event": "Order Completed",'
        ' "timestamp": "2019-10-20T10:00:00Z", "properties": {"order_id": "o1",'
        ' "products": [{"product_id": "p1", "price": 5}, {"product_id": "p2", "price": 7}]}}\n',
        [
            ("u1", "p1", "purchase", "2019-10-20T10:00:00"),
            ("u1", "p2", "purchase", "2019-10-20T10:00:00"),
        ],
        {"explode": "properties.products"},
        {
            "mapping": (
                "messageId=event_id",
                "properties.products.product_id=item_id",
                "properties.order_id=order_id",
                "properties.products.price=price",
            )
        },
    ),
    "WooCommerce orders": Sample(
        "orders.csv",
        "Order ID,Order Date,Customer ID,SKU,Quantity,Item Cost\n17,2019-10-20 10:00,5,L1,1,9.5\n",
        [("5", "L1", "purchase", "2019-10-20T10:00:00")],
        options={"event_type": "purchase"},
    ),
    "Magento orders": Sample(
        "sales_order.csv",
        '"increment_id","created_at","customer_id","sku","qty_ordered","price"\n'
        '"000000017","2019-10-20 10:00:00","5","L1","1.0000","9.5000"\n',
        [("5", "L1", "purchase", "2019-10-20T10:00:00")],
        options={"event_type": "purchase"},
    ),
    "GA4 export": Sample(
        "ga4.csv",
        "event_date,event_timestamp,event_name,user_pseudo_id,item_id\n"
        "20191020,1571568600000000,view_item,1.2,L1\n20191020,1571568601000000,purchase,1.2,L1\n"
        "20191020,1571568602000000,add_to_cart,(not set),L1\n",
        [
            ("1.2", "L1", "view", "2019-10-20T10:50:00"),
            ("1.2", "L1", "purchase", "2019-10-20T10:50:01"),
        ],
        options={"mapping": ("user_pseudo_id=user_id",)},
        rejected=1,
    ),
    "Gorse feedback": Sample(
        "feedback.csv",
        "feedback_type,user_id,item_id,time_stamp\nlike,ann,L1,2019-10-20T10:00:00Z\n",
        [("ann", "L1", "like", "2019-10-20T10:00:00")],
        options={"mapping": ("feedback_type=event_type", "time_stamp=timestamp")},
    ),
    "Recombee": Sample(
        "detail_views.jsonl",
        '{"userId": "ann", "itemId": "L1", "timestamp": 1571565600.5}\n',
        [("ann", "L1", "view", "2019-10-20T10:00:00.500")],
        options={"event_type": "view"},
    ),
    "Amazon Personalize": Sample(
        "interactions.csv",
        "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\nann,L1,1571565600,Watch\n",
        [("ann", "L1", "view", "2019-10-20T10:00:00")],
        options={"event_types": "watch=view"},
    ),
    "RecBole": Sample(
        "ml.inter",
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n196\t242\t3\t881250949\n",
        [("196", "242", "rating", "1997-12-04T15:55:49")],
        options={"event_type": "rating"},
    ),
    "Online Retail": Sample(
        "online_retail.csv",
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "536365,85123A,HEART,6,12/1/2010 8:26,2.55,17850.0,United Kingdom\n",
        [("17850", "85123A", "purchase", "2010-12-01T08:26:00")],
        options={"preset": Preset.ONLINE_RETAIL},
    ),
    "pandas with its index": Sample(
        "frame.csv",
        ",user_id,item_id,event_type,timestamp\n0,17850.0,L1,view,2019-10-20 10:00:00.000000\n"
        "1,nan,L1,view,2019-10-20\n",
        [("17850", "L1", "view", "2019-10-20T10:00:00")],
        rejected=1,
    ),
    "German Excel": Sample(
        "Bestellungen.csv",
        "Kunde;Artikel;Datum;Preis\nMüller;L1;20.10.2019 12:00;1.234,50 €\n",
        [("Müller", "L1", "purchase", "2019-10-20T10:00:00")],
        {"encoding": "cp1252"},
        {
            "mapping": ("Kunde=user_id", "Artikel=item_id", "Datum=timestamp", "Preis=price"),
            "event_type": "purchase",
            "zone": "Europe/Berlin",
        },
        encoding="cp1252",
    ),
    "Excel's Unicode text": Sample(
        "orders.csv",
        "customer\tsku\taction\tdate\r\nJosé\tL1\tview\t43758.5\r\n",
        [("José", "L1", "view", "2019-10-20T12:00:00")],
        encoding="utf-16",
    ),
    "MySQL dump": Sample(
        "events.tsv",
        "user_id\titem_id\tevent_type\ttimestamp\tprice\n7\tL1\tview\t2019-10-20 10:00:00\t\\N\n"
        "\\N\tL1\tview\t2019-10-20 10:00:00\t1\n",
        [("7", "L1", "view", "2019-10-20T10:00:00")],
        rejected=1,
    ),
    "BigQuery JSON": Sample(
        "events.ndjson",
        '{"user_id": "7", "item_id": 5, "event": "view", "event_date": "20191020"}\n'
        '{"user_id": 7, "item_id": "5", "event": "view", "event_date": "20191021"}\n',
        [
            ("7", "5", "view", "2019-10-20T00:00:00"),
            ("7", "5", "view", "2019-10-21T00:00:00"),
        ],
        options={"mapping": ("event_date=timestamp",)},
    ),
    "day and clock apart": Sample(
        "till.csv",
        "Customer,Product,Date,Time,Action\n7,L1,10/20/2019,1:30 PM,purchase\n",
        [("7", "L1", "purchase", "2019-10-20T13:30:00")],
    ),
}


@pytest.mark.parametrize("name", EVENTS)
def test_events_of_a_real_format(tmp_path: Path, name: str) -> None:
    sample = EVENTS[name]
    path = write(tmp_path, sample.text.encode(sample.encoding), sample.name)
    options = dict(sample.options)
    if zone := options.pop("zone", None):
        options["times"] = TimeOptions(zone=zone)

    found = take_in(path, ReadOptions(**sample.how), **options)

    assert [
        (event.user_id, event.item_id, event.event_type, _moment(event.timestamp_ms))
        for event in found.events
    ] == sample.rows
    assert found.tally.rejected.total() == sample.rejected
    assert not found.tally.dropped


PRESETS = {
    Preset.ONLINE_RETAIL: "Online Retail",
    Preset.MOVIELENS_1M: "MovieLens 1M",
    Preset.MOVIELENS_100K: "MovieLens 100K",
    Preset.MOVIELENS: "MovieLens latest",
    Preset.TAOBAO: "Taobao",
    Preset.YOOCHOOSE_CLICKS: "YooChoose clicks",
    Preset.YOOCHOOSE_BUYS: "YooChoose buys",
    Preset.HM: "H&M",
    Preset.LASTFM_1K: "Last.fm 1K",
    Preset.DIGINETICA: "Diginetica",
    Preset.AMAZON_REVIEWS: "Amazon reviews",
    Preset.AMAZON_RATINGS: "Amazon ratings",
    Preset.SHOPIFY: "Shopify orders",
    Preset.WOOCOMMERCE: "WooCommerce orders",
    Preset.MAGENTO: "Magento orders",
    Preset.GA4: "GA4 export",
    Preset.GORSE: "Gorse feedback",
    Preset.RECBOLE: "RecBole",
}


@pytest.mark.parametrize("preset", Preset)
def test_a_preset_reads_its_files_without_any_option(tmp_path: Path, preset: Preset) -> None:
    sample = EVENTS[PRESETS[preset]]
    path = write(tmp_path, sample.text.encode(sample.encoding), sample.name)

    found = take_in(path, preset=preset)

    assert [
        (event.user_id, event.item_id, event.event_type, _moment(event.timestamp_ms))
        for event in found.events
    ] == sample.rows
    assert found.tally.rejected.total() == sample.rejected


def test_options_go_before_a_preset(tmp_path: Path) -> None:
    sample = EVENTS["Taobao"]
    path = write(tmp_path, sample.text.replace(",", ";"), sample.name)

    found = take_in(path, ReadOptions(delimiter=";"), Preset.TAOBAO, event_type="view")

    assert {event.event_type for event in found.events} == {"view"}


def _moment(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms / 1000, UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


ITEMS: dict[str, tuple[str, str, list[Item], dict[str, Any]]] = {
    "MovieLens movies": (
        "movies.csv",
        "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation\n"
        '11,"American President, The",Drama\n',
        [
            Item("1", "Toy Story (1995)", ("Adventure", "Animation")),
            Item("11", "American President, The", ("Drama",)),
        ],
        {},
    ),
    "Google feed": (
        "feed.tsv",
        "id\ttitle\tdescription\tlink\tprice\tavailability\tbrand\tproduct_type\n"
        'L1\tLamp 5" tall\tA "nice" lamp\thttps://x.org\t12.00 USD\tin_stock\tLux\tHome > Light\n'
        "H1\tHat\t\thttps://x.org\t5.00 USD\tout of stock\t\tWear\n",
        [
            Item("H1", "Hat", ("Wear",), None, 5.0, available=False),
            Item("L1", 'Lamp 5" tall', ("Home", "Light"), "Lux", 12.0),
        ],
        {},
    ),
    "Google feed, RSS": (
        "feed.xml",
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- nightly -->\n'
        '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>\n'
        "<title>A shop</title><link>https://x.org</link>\n"
        "<item><title>A lamp</title><g:title>Lamp 5&quot; tall</g:title><g:id>L1</g:id>"
        "<g:price>12.00 USD</g:price><g:availability>in_stock</g:availability>"
        "<g:brand>Lux</g:brand><g:product_type>Home &gt; Light</g:product_type>"
        "<g:shipping><g:country>US</g:country><g:price>4 USD</g:price></g:shipping></item>\n"
        "<item><g:id>H1</g:id><title><![CDATA[Hat & scarf]]></title><g:price>5.00 USD</g:price>"
        "<g:availability>out_of_stock</g:availability></item>\n</channel></rss>\n",
        [
            Item("H1", "Hat & scarf", (), None, 5.0, available=False),
            Item("L1", 'Lamp 5" tall', ("Home", "Light"), "Lux", 12.0),
        ],
        {},
    ),
    "Google feed, Atom": (
        "feed.atom",
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">'
        '<entry><id>tag:x.org,2024:1</id><g:id>L1</g:id><title>Lamp</title><link href="https://x.org"/>'
        "<g:price>12.00 USD</g:price><g:sale_price>9 USD</g:sale_price></entry></feed>",
        [Item("L1", "Lamp", (), None, 12.0)],
        {},
    ),
    "Yandex feed": (
        "yml.xml",
        '<!DOCTYPE yml_catalog SYSTEM "shops.dtd">\n<yml_catalog date="2024-01-01"><shop><offers>\n'
        '<offer id="L1" available="false"><name>Lamp</name><vendor>Lux</vendor><price>12</price>'
        "<param name='Colour'>red</param><param name='Size'>5</param></offer>"
        "</offers></shop></yml_catalog>",
        [Item("L1", "Lamp", (), "Lux", 12.0, available=False)],
        {},
    ),
    "Shopify products": (
        "products_export.csv",
        "Handle,Title,Body (HTML),Vendor,Type,Option1 Value,Variant SKU,Variant Price,Image Src\n"
        'shirt,Shirt,"<p>Soft,\n warm</p>",Acme,Wear,S,S-1,10.00,a.jpg\n'
        "shirt,,,,,M,S-2,11.00,\nshirt,,,,,,,,b.jpg\nhat,Hat,,Acme,Wear,,H-1,5.00,c.jpg\n",
        [
            Item("hat", "Hat", ("Wear",), "Acme", 5.0),
            Item("shirt", "Shirt", ("Wear",), "Acme", 11.0),
        ],
        {"mapping": ("Handle=item_id", "Variant Price=price", "Type=categories")},
    ),
    "WooCommerce products": (
        "wc-products.csv",
        "ID,Type,SKU,Name,In stock?,Regular price,Categories\n"
        '9,simple,L1,Lamp,0,"9,50",Home > Light\n',
        [Item("L1", "Lamp", ("Home", "Light"), None, 9.5, available=False)],
        {"mapping": ("Regular price=price",)},
    ),
    "Magento products": (
        "catalog_product.csv",
        "sku,name,price,qty,is_in_stock\nL1,Lamp,9.500000,12.0000,1\nH1,Hat,5,0.0000,0\n",
        [
            Item("H1", "Hat", (), None, 5.0, available=False),
            Item("L1", "Lamp", (), None, 9.5),
        ],
        {"mapping": ("is_in_stock=available",)},
    ),
    "Amazon metadata": (
        "meta_All_Beauty.jsonl",
        '{"parent_asin": "B1", "title": "Comb", "categories": ["Beauty", "Hair"], "price": null}\n'
        '{"parent_asin": "B2", "title": "Oil", "categories": [], "price": 9.99}\n',
        [Item("B1", "Comb", ("Beauty", "Hair")), Item("B2", "Oil", (), None, 9.99)],
        {},
    ),
    "H&M articles": (
        "articles.csv",
        "article_id,prod_name,product_type_name\n0108775015,Strap top,Vest top\n",
        [Item("0108775015", "Strap top", ("Vest top",))],
        {"mapping": ("prod_name=title", "product_type_name=categories")},
    ),
    "Gorse items": (
        "items.csv",
        "item_id,is_hidden,categories,time_stamp,labels,description\nL1,0,Home|Light,2019-10-20,a,"
        "Lamp\n",
        [Item("L1", "Lamp", ("Home", "Light"), tags=("a",))],
        {},
    ),
    "price feed": (
        "prices.csv",
        "sku;price\nL1;1.234\nH1;12,50\n",
        [Item("H1", price=12.5), Item("L1", price=1234.0)],
        {"decimals": Decimals.COMMA},
    ),
    "schema.org": (
        "items.jsonl",
        '{"sku": "L1", "name": "Lamp", "availability": "https://schema.org/OutOfStock", '
        '"price": "EUR 9.50"}\n',
        [Item("L1", "Lamp", (), None, 9.5, available=False)],
        {},
    ),
}


ITEM_PRESETS = {
    "Shopify products": Preset.SHOPIFY,
    "WooCommerce products": Preset.WOOCOMMERCE,
    "Magento products": Preset.MAGENTO,
    "H&M articles": Preset.HM,
    "Gorse items": Preset.GORSE,
}


@pytest.mark.parametrize("name", ITEM_PRESETS)
def test_a_preset_reads_its_items_without_any_option(tmp_path: Path, name: str) -> None:
    file, text, items, _ = ITEMS[name]
    store = MemoryItemStore()

    reading = Reading(write(tmp_path, text, file), preset=ITEM_PRESETS[name])
    run(plan_items(reading, TENANT, store, MemoryLiveCatalogue()))

    assert without_create_times(store.scan(TENANT)) == items


@pytest.mark.parametrize("name", ITEMS)
def test_items_of_a_real_format(tmp_path: Path, name: str) -> None:
    file, text, items, options = ITEMS[name]
    reading = Reading(write(tmp_path, text, file), items=ItemOptions(**options))
    store = MemoryItemStore()

    outcome = run(plan_items(reading, TENANT, store, MemoryLiveCatalogue()))

    assert without_create_times(store.scan(TENANT)) == items
    assert not outcome.tally.dropped
    assert not outcome.tally.rejected
