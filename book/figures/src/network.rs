//! Network namespaces with their interfaces and addresses. The two ends of a veth pair are joined
//! by a cable; the ports of a bridge are named in it.

use std::collections::BTreeMap;

use trace::{Kind, Link, NamespaceId, World};

use crate::scene::{self, Before, News, Selection, is_new, new_in_words};
use crate::svg::{Area, Font, Picture, WIDTH};
use crate::words::{list, sentence};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    spaces: Vec<Space>,
}

#[derive(Clone, Debug, PartialEq)]
struct Space {
    id: NamespaceId,
    links: Vec<Link>,
    members: Vec<u32>,
}

const HEAD: i32 = 28;
/// Name, state, address, and what it is joined to.
const LINK: i32 = 66;
const CABLES: i32 = 40;

impl scene::Scene for Scene {
    type Layout = Plan;

    fn of(world: &World, selection: &Selection) -> Scene {
        let spaces = world.namespaces.iter().filter(|namespace| namespace.id.kind == Kind::Net);
        let spaces = spaces.map(|namespace| Space {
            id: namespace.id,
            links: in_order(&namespace.links),
            members: world
                .members(namespace.id)
                .filter(|number| selection.has_task(*number))
                .collect(),
        });
        Scene { spaces: spaces.filter(|space| !space.links.is_empty()).collect() }
    }

    /// Leaves out namespaces that no selected task is ever in. After that only the links count.
    fn thin_out(scenes: &mut [Scene], selection: &Selection) {
        let mut used: Vec<NamespaceId> = Vec::new();
        for space in scenes.iter().flat_map(|scene| &scene.spaces) {
            if selection.tasks.is_empty() || !space.members.is_empty() {
                used.push(space.id);
            }
        }
        for space in scenes.iter_mut().flat_map(|scene| &mut scene.spaces) {
            space.members.clear();
        }
        for scene in scenes {
            scene.spaces.retain(|space| used.contains(&space.id));
        }
    }

    fn is_empty(&self) -> bool {
        self.spaces.is_empty()
    }

    fn layout(scenes: &[Scene]) -> Plan {
        Plan::of(scenes)
    }

    fn draw(&self, before: Option<&Scene>, plan: &Plan) -> Picture {
        let mut picture = Picture::new(plan.height);
        for space in &self.spaces {
            let old = before.map(|before| before.space(space.id));
            picture.namespace(plan.boxes[&space.id], "space", space.id, is_new(old));
        }
        // Cables lie above boxes and below interfaces.
        for space in &self.spaces {
            for (link, other, peer) in self.pairs(space) {
                if space.id != other.id {
                    plan.cable(&mut picture, (space.id, link), (other.id, peer));
                }
            }
        }
        for space in &self.spaces {
            let old = before.map(|before| before.space(space.id));
            for link in &space.links {
                let area = plan.links[&(space.id, link.name.clone())];
                draw_link(&mut picture, area, link, news(old, link));
            }
        }
        picture
    }

    fn describe(&self, before: Option<&Scene>, _: &Plan) -> String {
        let sentences = self.spaces.iter().map(|space| {
            let old = before.map(|before| before.space(space.id));
            let links = space.links.iter().map(|link| {
                let state = if link.up { "up" } else { "down" };
                let addresses = list(link.addresses.clone(), "no address");
                let peer = match &link.peer {
                    Some((Some(namespace), name)) => format!(", joined to {name} in {namespace}"),
                    Some((None, name)) => format!(", joined to {name}"),
                    None => String::new(),
                };
                let bridge = link.bridge.as_ref();
                let bridge =
                    bridge.map(|bridge| format!(", a port of {bridge}")).unwrap_or_default();
                let news = news(old, link).in_words();
                format!("{} ({state}, {addresses}{peer}{bridge}{news})", link.name)
            });
            let links = list(links, "no interface");
            sentence(&format!("{}{}: {links}", space.id, new_in_words(old)))
        });
        sentences.collect::<Vec<_>>().join(" ")
    }
}

impl Scene {
    fn space(&self, id: NamespaceId) -> Option<&Space> {
        self.spaces.iter().find(|space| space.id == id)
    }

    /// The veth pairs that begin in a namespace, each once.
    fn pairs<'a>(
        &'a self,
        space: &'a Space,
    ) -> impl Iterator<Item = (&'a Link, &'a Space, &'a Link)> {
        space.links.iter().filter_map(move |link| {
            let (namespace, name) = link.peer.as_ref()?;
            let other = self.space((*namespace)?)?;
            let peer = other.links.iter().find(|peer| peer.name == *name)?;
            ((space.id, &link.name) < (other.id, &peer.name)).then_some((link, other, peer))
        })
    }
}

/// The places of namespaces and interfaces in all frames: the namespace with the most interfaces is
/// above, and the others are beside each other below it.
pub(crate) struct Plan {
    boxes: BTreeMap<NamespaceId, Area>,
    /// By namespace and name.
    links: BTreeMap<(NamespaceId, String), Area>,
    height: i32,
}

impl Plan {
    fn of(scenes: &[Scene]) -> Plan {
        let mut spaces: Vec<(NamespaceId, Vec<Link>)> = Vec::new();
        for space in scenes.iter().flat_map(|scene| &scene.spaces) {
            let at = spaces.iter().position(|(id, _)| *id == space.id);
            let at = at.unwrap_or_else(|| {
                spaces.push((space.id, Vec::new()));
                spaces.len() - 1
            });
            for link in &space.links {
                match spaces[at].1.iter_mut().find(|known| known.name == link.name) {
                    Some(known) => *known = link.clone(),
                    None => spaces[at].1.push(link.clone()),
                }
            }
        }
        let most = spaces.iter().map(|(_, links)| links.len()).max().unwrap_or(0);
        let hub = spaces.iter().position(|(_, links)| links.len() == most).unwrap_or(0);
        let mut plan = Plan { boxes: BTreeMap::new(), links: BTreeMap::new(), height: 2 };
        if spaces.is_empty() {
            return plan;
        }
        let (id, links) = spaces.remove(hub);
        let columns = links.len().clamp(2, 3) as i32;
        // The cables begin at the last line, which is next to the other namespaces.
        let (with, without): (Vec<Link>, Vec<Link>) =
            in_order(&links).into_iter().partition(|link| link.peer.is_some());
        let order = without.into_iter().chain(with);
        let bottom = plan.panel(id, order.collect(), Area::new(2, 2, WIDTH - 4, 0), columns);
        plan.height = bottom + 2;
        if !spaces.is_empty() {
            plan.height += CABLES - 2;
        }
        for row in spaces.chunks(3) {
            let count = row.len().max(2) as i32;
            let width = (WIDTH - 4 - 8 * (count - 1)) / count;
            let top = plan.height;
            let mut bottom = top;
            for (column, (id, links)) in (0..).zip(row) {
                let area = Area::new(2 + column * (width + 8), top, width, 0);
                let (with, without): (Vec<Link>, Vec<Link>) =
                    links.iter().cloned().partition(|link| link.peer.is_some());
                bottom =
                    bottom.max(plan.panel(*id, with.into_iter().chain(without).collect(), area, 1));
            }
            for (id, _) in row {
                plan.boxes.get_mut(id).expect("it was just placed").height = bottom - top;
            }
            plan.height = bottom + 10;
        }
        plan.height = plan.boxes.values().map(Area::bottom).max().unwrap_or(0) + 2;
        plan
    }

    /// Places a namespace and its interfaces. Returns its lower edge.
    fn panel(&mut self, id: NamespaceId, links: Vec<Link>, area: Area, columns: i32) -> i32 {
        let width = (area.width - 10 - 6 * (columns - 1)) / columns;
        let lines = (links.len() as i32 + columns - 1) / columns;
        // If the interfaces do not fill all lines, the gap is before those with a cable.
        let open = lines * columns - links.len() as i32;
        let mut cables_begin = false;
        for (number, link) in (0..).zip(&links) {
            cables_begin |= columns > 1 && link.peer.is_some();
            let number = if cables_begin { number + open } else { number };
            let (column, line) = (number % columns, number / columns);
            let x = area.x + 5 + column * (width + 6);
            let place = Area::new(x, area.y + HEAD + line * (LINK + 6), width, LINK);
            self.links.insert((id, link.name.clone()), place);
        }
        let height = HEAD + lines.max(1) * (LINK + 6);
        self.boxes.insert(id, Area { height, ..area });
        area.y + height
    }

    fn cable(&self, picture: &mut Picture, one: (NamespaceId, &Link), other: (NamespaceId, &Link)) {
        let place = |(id, link): (NamespaceId, &Link)| self.links[&(id, link.name.clone())];
        let (mut one_end, mut other_end) = ((place(one), one.1.up), (place(other), other.1.up));
        if one_end.0.y > other_end.0.y {
            (one_end, other_end) = (other_end, one_end);
        }
        if one_end.0.y == other_end.0.y {
            return; // Both below, and the text says so.
        }
        let class = if one_end.1 && other_end.1 { "cable" } else { "cable down" };
        picture.cable(
            (one_end.0.centre(), one_end.0.bottom()),
            (other_end.0.centre(), other_end.0.y),
            class,
        );
    }
}

fn draw_link(picture: &mut Picture, area: Area, link: &Link, news: News) {
    let class = match (news, link.up) {
        (News::Nothing, true) => "task",
        (News::Nothing, false) => "task off",
        _ => "task changed",
    };
    picture.rect(area, class);
    let (x, room) = (area.x + 6, area.width - 10);
    picture.text(x, area.y + 15, room, news.name_font(), &link.name);
    let state = format!("{}{}", if link.up { "up" } else { "down" }, news.in_words());
    picture.text(x, area.y + 30, room, news.note_font(), &state);
    let address = match link.addresses.as_slice() {
        [] => "no address".to_owned(),
        [only] => only.clone(),
        [first, more @ ..] => format!("{first} +{}", more.len()),
    };
    let font = if link.addresses.is_empty() { Font::Note } else { Font::Name };
    picture.text(x, area.y + 44, room, font, &address);
    let joined = match (&link.bridge, &link.peer) {
        (Some(bridge), _) => format!("port of {bridge}"),
        (None, Some((_, peer))) => format!("to {peer}"),
        (None, None) => String::new(),
    };
    if !joined.is_empty() {
        picture.text(x, area.y + 58, room, Font::Note, &joined);
    }
}

fn news(old: Before<Space>, link: &Link) -> News {
    let old_link = |old: &'_ Space| old.links.iter().find(|other| other.name == link.name).cloned();
    match old.flatten().map(old_link) {
        Some(old_link) => News::of(Some(old_link.as_ref()), link),
        None => News::Nothing,
    }
}

/// `lo` first, bridges before their ports.
fn in_order(links: &[Link]) -> Vec<Link> {
    let mut links = links.to_vec();
    let is_bridge = |link: &Link, all: &[Link]| {
        all.iter().any(|other| other.bridge.as_ref() == Some(&link.name))
    };
    let all = links.clone();
    links.sort_by_key(|link| (link.name != "lo", !is_bridge(link, &all), link.name.clone()));
    links
}
