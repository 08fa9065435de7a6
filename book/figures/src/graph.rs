//! What comes before what: a graph in layers, from the top to the bottom. Each node stands above those that need it,
//! as low as it may, so that lines are short.

use std::fmt::Write as _;

use crate::svg::{Area, Font, Picture, WIDTH, escape};
use crate::words::list;

/// A box of the graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// What stands first in the box, and in the description.
    pub number: String,
    pub name: String,
    /// The nodes above it that it is joined to, by their places in the list. Each comes before this one there.
    pub needs: Vec<usize>,
}

const NODE: (i32, i32) = (48, 34);
/// The room of a line that passes a layer.
const LANE: i32 = 4;
const GAP: (i32, i32) = (3, 30);

/// A place in a layer: a node, or a line from one node to another on its way through the layer.
#[derive(Clone, Copy, PartialEq)]
enum Item {
    Node(usize),
    Lane { from: usize, to: usize },
}

impl Item {
    fn width(self) -> i32 {
        if matches!(self, Item::Node(_)) { NODE.0 } else { LANE }
    }
}

/// Draws a graph as `<figure class="steps" id="fig-ID">`, without a blank line, ending in a newline. `caption` is HTML.
pub fn graph(nodes: &[Node], id: &str, caption: &str) -> String {
    let id = format!("fig-{}", escape(id));
    let svg = draw(nodes).svg(&format!("{id}-1"), "What comes before what", &describe(nodes));
    format!(
        "<figure class=\"steps\" id=\"{id}\" aria-labelledby=\"{id}-caption\">\n<ol class=\"frames\">\n\
         <li class=\"frame\" id=\"{id}-1\">\n{svg}</li>\n</ol>\n\
         <figcaption id=\"{id}-caption\">{}</figcaption>\n</figure>\n",
        caption.trim()
    )
}

fn describe(nodes: &[Node]) -> String {
    let mut text = String::new();
    for node in nodes {
        let needs = node.needs.iter().map(|need| nodes[*need].name.clone());
        let needs = list(needs, "nothing");
        write!(text, "{} {} needs {needs}. ", node.number, node.name).expect("a String takes all");
    }
    text.trim_end().to_owned()
}

pub(crate) fn draw(nodes: &[Node]) -> Picture {
    let layers = ordered(layers(nodes), nodes);
    let places = places(&layers, nodes);
    let step = NODE.1 + GAP.1;
    let mut picture = Picture::new(step * layers.len() as i32 - GAP.1 + 4);
    let top = |layer: usize| 2 + step * layer as i32;
    let x_in = |layer: usize, item: Item| {
        let place = layers[layer].iter().position(|other| *other == item);
        places[layer][place.expect("a line goes through every layer between its ends")]
    };
    let layer_of = |node: usize| {
        let holds = |layer: &Vec<Item>| layer.contains(&Item::Node(node));
        layers.iter().position(holds).expect("every node is in a layer")
    };
    for (to, node) in nodes.iter().enumerate() {
        for from in &node.needs {
            let (first, last) = (layer_of(*from), layer_of(to));
            let mut point = (x_in(first, Item::Node(*from)), top(first) + NODE.1);
            let (mut path, mut points) = (format!("M{} {}", point.0, point.1), vec![point]);
            for layer in first + 1..=last {
                let item = match layer == last {
                    true => Item::Node(to),
                    false => Item::Lane { from: *from, to },
                };
                let (x, y) = (x_in(layer, item), top(layer));
                let middle = (point.1 + y) / 2;
                write!(path, "C{} {middle} {x} {middle} {x} {y}", point.0)
                    .expect("a String takes all");
                points.push((x, y));
                point = (x, y + NODE.1);
                if layer != last {
                    write!(path, "V{}", point.1).expect("a String takes all");
                }
            }
            picture.path(&path, &points, "branch");
        }
    }
    for (number, node) in nodes.iter().enumerate() {
        let layer = layer_of(number);
        let (x, y) = (x_in(layer, Item::Node(number)), top(layer));
        let area = Area::new(x - NODE.0 / 2, y, NODE.0, NODE.1);
        picture.rect(area, "task");
        picture.centred(area.x, y + 14, area.width, Font::Strong, &node.number);
        picture.centred(area.x, y + 27, area.width, Font::Note, &node.name);
    }
    picture
}

/// Which items are in which layer.
fn layers(nodes: &[Node]) -> Vec<Vec<Item>> {
    let mut earliest = vec![0; nodes.len()];
    for (number, node) in nodes.iter().enumerate() {
        earliest[number] = node.needs.iter().map(|need| earliest[*need] + 1).max().unwrap_or(0);
    }
    let deepest = earliest.iter().copied().max().unwrap_or(0);
    let mut latest = vec![deepest; nodes.len()];
    for (number, node) in nodes.iter().enumerate().rev() {
        for need in &node.needs {
            latest[*need] = latest[*need].min(latest[number] - 1);
        }
    }
    let mut layers = vec![Vec::new(); deepest + 1];
    for (to, node) in nodes.iter().enumerate() {
        layers[latest[to]].push(Item::Node(to));
        for from in &node.needs {
            for layer in &mut layers[latest[*from] + 1..latest[to]] {
                layer.push(Item::Lane { from: *from, to });
            }
        }
    }
    layers
}

/// Puts each item near those that it is joined to.
fn ordered(mut layers: Vec<Vec<Item>>, nodes: &[Node]) -> Vec<Vec<Item>> {
    const SWEEPS: usize = 12;
    for sweep in 0..SWEEPS {
        let count = layers.len();
        for step in 1..count {
            let (layer, other) =
                if sweep % 2 == 0 { (step, step - 1) } else { (count - 1 - step, count - step) };
            let fixed = layers[other].clone();
            let middle = |item: Item| {
                let joined =
                    fixed.iter().enumerate().filter(|(_, other)| is_joined(item, **other, nodes));
                let places: Vec<usize> = joined.map(|(place, _)| place).collect();
                let sum = places.iter().sum::<usize>() as f64;
                if places.is_empty() { None } else { Some(sum / places.len() as f64) }
            };
            let old = layers[layer].clone();
            let mut keyed: Vec<(f64, Item)> = (old.iter().enumerate())
                .map(|(place, item)| (middle(*item).unwrap_or(place as f64), *item))
                .collect();
            keyed.sort_by(|(one, _), (other, _)| one.total_cmp(other));
            layers[layer] = keyed.into_iter().map(|(_, item)| item).collect();
        }
    }
    layers
}

/// Whether two items of neighboring layers have a line between them.
fn is_joined(one: Item, other: Item, nodes: &[Node]) -> bool {
    let needs = |below: usize, above: usize| nodes[below].needs.contains(&above);
    match (one, other) {
        (Item::Node(a), Item::Node(b)) => needs(a, b) || needs(b, a),
        (Item::Node(node), Item::Lane { from, to })
        | (Item::Lane { from, to }, Item::Node(node)) => node == from || node == to,
        (one, other) => one == other,
    }
}

/// The middle of each item, in units from the left.
fn places(layers: &[Vec<Item>], nodes: &[Node]) -> Vec<Vec<i32>> {
    const ROUNDS: usize = 20;
    let mut places: Vec<Vec<i32>> = layers
        .iter()
        .map(|layer| {
            let count = layer.len() as i32;
            (0..count).map(|place| WIDTH * (2 * place + 1) / (2 * count)).collect()
        })
        .collect();
    for _ in 0..ROUNDS {
        for (number, layer) in layers.iter().enumerate() {
            let wanted = |(place, item): (usize, &Item)| {
                let neighbors = [number.checked_sub(1), Some(number + 1)].into_iter().flatten();
                let neighbors = neighbors.filter(|other| *other < layers.len());
                let joined: Vec<i32> = neighbors
                    .flat_map(|other| layers[other].iter().zip(&places[other]))
                    .filter(|(other, _)| is_joined(*item, **other, nodes))
                    .map(|(_, x)| *x)
                    .collect();
                match joined.len() as i32 {
                    0 => places[number][place],
                    count => joined.iter().sum::<i32>() / count,
                }
            };
            let wanted: Vec<i32> = layer.iter().enumerate().map(wanted).collect();
            places[number] = apart(layer, wanted);
        }
    }
    places
}

/// Moves the items of a layer apart and into the picture.
fn apart(layer: &[Item], mut xs: Vec<i32>) -> Vec<i32> {
    let between = |a: usize, b: usize| (layer[a].width() + layer[b].width()) / 2 + GAP.0;
    for place in 0..xs.len() {
        let least = match place {
            0 => layer[0].width() / 2 + 2,
            _ => xs[place - 1] + between(place - 1, place),
        };
        xs[place] = xs[place].max(least);
    }
    for place in (0..xs.len()).rev() {
        let most = match place + 1 == xs.len() {
            true => WIDTH - 2 - layer[place].width() / 2,
            false => xs[place + 1] - between(place, place + 1),
        };
        xs[place] = xs[place].min(most);
    }
    xs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(needs: &[&[usize]]) -> Vec<Node> {
        let node = |(number, needs): (usize, &&[usize])| Node {
            number: (number + 1).to_string(),
            name: format!("n{number}"),
            needs: needs.to_vec(),
        };
        needs.iter().enumerate().map(node).collect()
    }

    #[test]
    fn a_node_stands_below_what_it_needs_and_lines_pass_between_boxes() {
        // The second layer has a lane from 0 to 3; node 4 needs nothing, and stands as low as it may.
        let nodes = nodes(&[&[], &[0], &[1], &[0, 2], &[]]);
        let layers = layers(&nodes);
        let place = |item: Item| layers.iter().position(|layer| layer.contains(&item));
        let rows = (0..5).map(|node| place(Item::Node(node)).unwrap()).collect::<Vec<_>>();
        assert_eq!(rows, [0, 1, 2, 3, 3]);
        assert_eq!(layers[1].len() + layers[2].len(), 4);
        let layers = ordered(layers, &nodes);
        for (layer, xs) in layers.iter().zip(places(&layers, &nodes)) {
            for pair in 1..layer.len() {
                let least = (layer[pair - 1].width() + layer[pair].width()) / 2;
                assert!(xs[pair] - xs[pair - 1] > least, "{xs:?}");
            }
            for (item, x) in layer.iter().zip(xs) {
                assert!(x - item.width() / 2 >= 0 && x + item.width() / 2 <= WIDTH);
            }
        }
        let picture = draw(&nodes);
        assert_eq!(picture.labels.len(), 10);
        assert_eq!(describe(&nodes[..2]), "1 n0 needs nothing. 2 n1 needs n0.");
    }
}
