#include "campaigns/html_text.h"

#include <gtest/gtest.h>

namespace posthorn {
namespace {

TEST(HtmlText, Table) {
    const struct {
        std::string_view html, text;
    } cases[] = {
        {"", ""},
        {"plain", "plain\n"},
        {"<p>One</p><p>Two</p>", "One\n\nTwo\n"},
        {"<h1>Title</h1>\n<p>Some\n   text</p>", "Title\n=====\n\nSome text\n"},
        {"<h2>Über {{name}}</h2><h3>Small</h3>a", "Über {{name}}\n-------------\n\nSmall\n\na\n"},
        {"<h1><img src=l.png></h1>a<h1>b<br>cd</h1>e", "a\n\nb\ncd\n==\n\ne\n"},
        {"{{#if x}}<h1>T</h1>{{/if}}a", "{{#if x}}T\n={{/if}}\n\na\n"},
        {"a<br>b<br/><br>c", "a\nb\n\nc\n"},
        {"<div><div>a</div></div><div>b</div>", "a\nb\n"},
        {"<ul><li>a</li><li>b</li></ul>c", "- a\n- b\n\nc\n"},
        {"<ol><li>a<ul><li>x</li></ul></li><li>b</ol>", "1. a\n  - x\n2. b\n"},
        {"<a href=\"https://x.test/\">Shop</a> now", "Shop (https://x.test/) now\n"},
        {"<a href=https://x.test/>https://x.test/</a>", "https://x.test/\n"},
        {"<a href='https://x.test'>x.test</a>", "https://x.test\n"},
        {"<a href='mailto:a@b.test?subject=x'>Write</a>", "Write (a@b.test)\n"},
        {"<a href='#top'>up</a><a name=x>y</a>", "upy\n"},
        {"<a href='https://x.test/'><img alt='Logo' src=l.png></a>", "Logo (https://x.test/)\n"},
        {"<a href='https://x.test/'><img src=l.png></a>", "https://x.test/\n"},
        {"<a href='https://x.test/?a=1&amp;b=2'>x</a>", "x (https://x.test/?a=1&b=2)\n"},
        {"a<style>p{color:red}</style><script>if(a<b)</script>b<!-- c -->", "ab\n"},
        {"<title>T</title><!doctype html>a", "a\n"},
        {"<STYLE>x</StYle >b", "b\n"},
        {"&lt;b&gt; &amp;amp; &eacute;&#233;&#xE9;&nbsp;x &bogus; &#0; &",
         "<b> &amp; ééé x &bogus; &\n"},
        {"a&zwnj;b&shy;c&#8203;d", "abcd\n"},
        {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a | b\nc\n"},
        {"<table><tr><th>Item<th>Price</tr><tr><td> Tea </td>\n<td><b>3</b> €</td></tr></table>x",
         "Item | Price\nTea | 3 €\n\nx\n"},
        {"<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a\n\nb\n"},
        {"<table><tr><td><img src=x></td><td>b</td></tr></table>", "b\n"},
        {"1 < 2 and 3 > 2", "1 < 2 and 3 > 2\n"},
        {"<p>a<hr>b", "a\n\n----\n\nb\n"},
        {"<p>Hi {{name | default: \"<you>\"}},</p>", "Hi {{name | default: \"<you>\"}},\n"},
        {"<p>A</p>\n{{#if x}}\n<p>B</p>\n{{/if}}\n<p>C", "A{{#if x}}\n\nB{{/if}}\n\nC\n"},
        {"<a href=\"https://x.test/?n={{name}}\">x</a>",
         "x (https://x.test/?n={{name | urlencode}})\n"},
        {"<a href=\"{{url}}\">x</a>", "x ({{url}})\n"},
        {"<a href=\"https://x.test/?n={{n | default: \"to > you\"}}&amp;u=1\">x</a>y",
         "x (https://x.test/?n={{n | default: \"to > you\" | urlencode}}&u=1)y\n"},
        {"<a href=https://x.test/{{n | upper}}>x</a>", "x (https://x.test/{{n | upper}})\n"},
        {"<a title=\"{{\" href=\"https://x.test\">x</a>", "x (https://x.test)\n"},
        {"<a href=\"?q={{{raw}}}\">x</a>", "x (?q={{{raw}}})\n"},
        {"&#123;&#123;x}}", "{ {x}}\n"},
        {"<p", ""},
        {"<a href=\"x", "x\n"},
        {"<script>never closed", ""},
        {"{{open", "{{open\n"},
    };
    for (const auto& c : cases) EXPECT_EQ(html_to_text(c.html), c.text) << c.html;
}

TEST(HtmlText, TakesTimeInProportionToItsInput) {
    for (std::string_view piece : {"<", "<a href=\"", "<!--", "&", "{{", "</", "<style>", "<ul>"}) {
        std::string html;
        while (html.size() < 200'000) html += piece;
        EXPECT_LE(html_to_text(html).size(), 2 * html.size() + 10);
    }
}

}  // namespace
}  // namespace posthorn
