module Platform.Sub exposing (Sub, none)

{-| A stub.

@docs Sub, none

-}


{-| -}
type Sub msg
    = Sub


{-| -}
none : Sub msg
none =
    Sub
