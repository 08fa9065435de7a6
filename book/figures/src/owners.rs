//! The tree of user namespaces: each box lies in its parent's, and lists what the namespace owns and
//! which processes are in it.

use trace::{Kind, NamespaceId, World};

use crate::scene::{self, Selection, TaskLabel, is_new, new_in_words};
use crate::svg::{Area, Font, Picture, WIDTH};
use crate::words::{list, sentence};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    users: Vec<User>,
}

#[derive(Clone, Debug, PartialEq)]
struct User {
    id: NamespaceId,
    parent: Option<NamespaceId>,
    owned: Vec<NamespaceId>,
    members: Vec<String>,
}

const HEAD: i32 = 26;
const PILL: i32 = 26;
const INSET: i32 = 10;

impl scene::Scene for Scene {
    /// The height of the highest frame.
    type Layout = i32;

    fn of(world: &World, selection: &Selection) -> Scene {
        let users = world.namespaces.iter().filter(|namespace| namespace.id.kind == Kind::User);
        let users = users.map(|user| {
            let owned = world.namespaces.iter().filter(|namespace| {
                namespace.id.kind != Kind::User
                    && namespace.owner == Some(user.id)
                    && selection.kinds.contains(&namespace.id.kind)
            });
            let members = world.members(user.id).filter(|number| selection.has_task(*number));
            User {
                id: user.id,
                parent: user.parent,
                owned: owned.map(|namespace| namespace.id).collect(),
                members: members
                    .map(|number| TaskLabel::of(number, &world.tasks[&number]).in_words())
                    .collect(),
            }
        });
        Scene { users: users.collect() }
    }

    fn is_empty(&self) -> bool {
        self.users.iter().all(|user| user.owned.is_empty() && user.members.is_empty())
    }

    fn layout(scenes: &[Scene]) -> i32 {
        let height =
            |scene: &Scene| scene.roots().map(|root| scene.height(root, 0) + 6).sum::<i32>();
        scenes.iter().map(height).max().unwrap_or(0) + 2
    }

    fn draw(&self, before: Option<&Scene>, height: &i32) -> Picture {
        let mut picture = Picture::new(*height);
        let mut y = 2;
        for root in self.roots() {
            self.draw_user(&mut picture, before, root, 0, y);
            y += self.height(root, 0) + 6;
        }
        picture
    }

    fn describe(&self, before: Option<&Scene>, _: &i32) -> String {
        let sentences = self.users.iter().map(|user| {
            let new = new_in_words(before.map(|before| before.user(user.id)));
            let nested = user.parent.map(|parent| format!(", inside {parent}")).unwrap_or_default();
            let owned = user.owned.iter().map(|id| match before {
                Some(before) if !before.owns(*id) => format!("{id} (new)"),
                _ => id.to_string(),
            });
            let (owned, members) =
                (list(owned, "nothing shown here"), list(user.members.clone(), "no process"));
            sentence(&format!("{}{nested}{new} owns {owned}; in it: {members}", user.id))
        });
        sentences.collect::<Vec<_>>().join(" ")
    }
}

impl Scene {
    fn user(&self, id: NamespaceId) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    fn owns(&self, id: NamespaceId) -> bool {
        self.users.iter().any(|user| user.owned.contains(&id))
    }

    /// The user namespaces whose parent is not in the trace.
    fn roots(&self) -> impl Iterator<Item = &User> {
        let is_root = |user: &&User| user.parent.is_none_or(|parent| self.user(parent).is_none());
        self.users.iter().filter(is_root)
    }

    fn children<'a>(&'a self, user: &'a User) -> impl Iterator<Item = &'a User> {
        self.users.iter().filter(|child| child.parent == Some(user.id))
    }

    fn height(&self, user: &User, depth: i32) -> i32 {
        let (lines, _) = pills(user, depth);
        let members = 18 * user.members.len() as i32;
        let inside: i32 = self.children(user).map(|child| self.height(child, depth + 1) + 6).sum();
        HEAD + lines * PILL + members + inside + 6
    }

    fn draw_user(
        &self,
        picture: &mut Picture,
        before: Option<&Scene>,
        user: &User,
        depth: i32,
        y: i32,
    ) {
        let x = 2 + INSET * depth.min(12);
        let area = Area::new(x, y, WIDTH - 2 * x, self.height(user, depth));
        let old = before.map(|before| before.user(user.id));
        let is_new_user = is_new(old);
        picture.namespace(area, "space", user.id, is_new_user);
        let (lines, places) = pills(user, depth);
        for (id, (pill_x, line)) in user.owned.iter().zip(places) {
            let name = id.to_string();
            let room = WIDTH - 2 * pill_x.min(x + 8) - 14;
            let text_width = (Font::Name.width(&name) + 2).min(room);
            let is_new = before.is_some_and(|before| !before.owns(*id));
            let pill = Area::new(pill_x, y + HEAD + line * PILL, text_width + 12, PILL - 6);
            picture.rect(pill, if is_new { "task changed" } else { "task" });
            picture.text(
                pill.x + 6,
                pill.y + 14,
                text_width,
                if is_new { Font::Strong } else { Font::Name },
                &name,
            );
        }
        let mut at = y + HEAD + lines * PILL;
        for member in &user.members {
            let came =
                old.flatten().is_some_and(|old| !old.members.contains(member)) || is_new_user;
            let (font, text) = if came {
                (Font::Mark, format!("→ {member}"))
            } else {
                (Font::Note, format!("• {member}"))
            };
            picture.text(x + 8, at + 12, area.width - 16, font, &text);
            at += 18;
        }
        for child in self.children(user) {
            self.draw_user(picture, before, child, depth + 1, at + 3);
            at += self.height(child, depth + 1) + 6;
        }
    }
}

/// The places of the namespaces that a user namespace owns: how many lines, and for each its x and line.
fn pills(user: &User, depth: i32) -> (i32, Vec<(i32, i32)>) {
    let left = 2 + INSET * depth.min(12) + 8;
    let (mut x, mut line, mut places) = (left, 0, Vec::new());
    for id in &user.owned {
        let width = (Font::Strong.width(&id.to_string()) + 14).min(WIDTH - 2 * left);
        if x > left && x + width > WIDTH - left {
            (x, line) = (left, line + 1);
        }
        places.push((x, line));
        x += width + 6;
    }
    (if places.is_empty() { 0 } else { line + 1 }, places)
}
